//! `bias-after-requantization`.

use super::{Group, Mistake};
use crate::model::Arithmetic;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "bias-after-requantization",
    group: Group::Scales,
    what: "the bias is added to the codes, in output steps, not to the accumulators",
    right: "β_q is part of the accumulator (eq. 6, 7, 22)",
    shows: "in the codes that a layer's accumulators become",
    mend: "add round(β/c_i) before the requantization",
    source: "frameworks whose convolution has no bias",
    variants: |site| {
        let bias = site
            .origin()
            .and_then(|origin| Some((origin.float.bias.as_ref()?, origin.params.scale.wide())));
        let Some((bias, scale)) = bias else {
            return Vec::new();
        };
        let relative = site.is_relative();
        let form = |form: &str, add: fn(f64, f64) -> f64| {
            site.requantized(form, |requantize| {
                for (channel, &bias) in requantize.channels.iter_mut().zip(bias) {
                    channel.bias = Some(bias);
                }
                requantize.arithmetic = Arithmetic::other(move |channel, acc| {
                    let steps = match relative {
                        true => f64::from(acc as f32 / channel.divisor()),
                        false => acc * channel.multiplier(),
                    };
                    let bias = f64::from(channel.bias.unwrap_or(0.0)) / scale;
                    add(steps, bias) + f64::from(channel.output_zero_point)
                });
            })
        };
        let rounded = form("as a code", |steps, bias| {
            steps.round_ties_even() + bias.round_ties_even()
        });
        let real = form("before rounding", |steps, bias| {
            (steps + bias).round_ties_even()
        });
        [rounded, real].into_iter().flatten().collect()
    },
};
