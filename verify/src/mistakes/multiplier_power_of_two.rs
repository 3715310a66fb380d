//! `multiplier-power-of-two`.

use super::{Group, Mistake};
use crate::model::Arithmetic;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "multiplier-power-of-two",
    group: Group::Rounding,
    what: "the multiplier is a power of two: a shift alone",
    right: "M = s_W·s_I/S_O, one multiplication and one rounding (eq. 13, 22)",
    shows: "in the codes that a layer's accumulators become",
    mend: "keep a mantissa, or choose scales whose quotient is a power of two",
    source: "accelerators without a multiplier: up to √2 a layer",
    variants: |site| {
        let power = |form: &str, round: fn(f64) -> f64| {
            let arithmetic = Arithmetic::other(move |channel, acc| {
                let steps = acc * round(channel.multiplier().log2()).exp2();
                steps.round_ties_even() + f64::from(channel.output_zero_point)
            });
            site.computed(form, arithmetic)
        };
        let forms = [
            site.contract("the nearest, rounded up", "power-of-two-rounded"),
            site.contract("the nearest, floor", "power-of-two-floor"),
            power("the nearest, half to even", f64::round),
            power("the next below", f64::floor),
            power("the next above", f64::ceil),
        ];
        forms.into_iter().flatten().collect()
    },
};
