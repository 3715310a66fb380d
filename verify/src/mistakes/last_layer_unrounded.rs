//! `last-layer-unrounded`.

use quant::contracts::Channel;

use super::{Group, Mistake};
use crate::model::{Arithmetic, Overflow};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "last-layer-unrounded",
    group: Group::Range,
    what: "the last layer is left as accumulators or floats",
    right: "every weighted layer is requantized, the last too (eq. 7)",
    shows: "in the codes that a layer's accumulators become",
    mend: "round and clamp the logits, or compare them as what they are",
    source: "graphs that end in a dequantize",
    variants: |site| {
        if !site.is_last_weighted() || site.requantize().is_none() {
            return Vec::new();
        }
        let step = (site.parts(0)).map_or(1.0, |parts| parts.all());
        let relative = site.is_relative();
        let form = |form: &str, value: fn(&Channel, f64) -> f64, real: bool| {
            site.requantized(form, |requantize| {
                requantize.arithmetic = Arithmetic::other(move |channel, acc| {
                    let whole = if relative {
                        step
                    } else {
                        channel.input_scale * channel.weight_scale
                    };
                    if real {
                        f64::from((acc * whole) as f32)
                    } else {
                        value(channel, acc)
                    }
                });
                requantize.overflow = Overflow::other(|_, value| value);
            })
        };
        let steps = |channel: &Channel, acc: f64| f64::from(acc as f32 / channel.divisor());
        let clamped = |channel: &Channel, acc: f64| {
            let code =
                f64::from(acc as f32 / channel.divisor()) + f64::from(channel.output_zero_point);
            code.clamp(channel.clamp.low.into(), channel.clamp.high.into())
        };
        let forms = [
            form("accumulators", |_, acc| acc, false),
            form("quotients", steps, false),
            form("quotients, clamped", clamped, false),
            form("real values", |_, acc| acc, true),
        ];
        forms.into_iter().flatten().collect()
    },
};
