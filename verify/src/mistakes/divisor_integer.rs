//! `divisor-integer`.

use super::{Group, Mistake};
use crate::model::Arithmetic;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "divisor-integer",
    group: Group::Rounding,
    what: "the divisor of the accumulator is rounded to an integer",
    right: "Oiq = clamp(round(acc/s_O)) with a real s_O (eq. 6, 7)",
    shows: "in the codes that a layer's accumulators become",
    mend: "keep s_O as a float, or as a multiplier of 16 bits and more",
    source: "integer-only code that divides with /",
    variants: |site| {
        // Below 1 it is 0, and the program ends.
        if site.requantize().is_some_and(|requantize| {
            requantize
                .channels
                .iter()
                .any(|channel| channel.multiplier() > 1.0)
        }) {
            return Vec::new();
        }
        let form = |form: &str, code: fn(f64, f64) -> f64| {
            let arithmetic = Arithmetic::other(move |channel, acc| {
                code(acc, 1.0 / channel.multiplier()) + f64::from(channel.output_zero_point)
            });
            site.computed(form, arithmetic)
        };
        let forms = [
            form("rounded, then a rounded quotient", |acc, d| {
                (acc / d.round_ties_even()).round_ties_even()
            }),
            form("rounded, then an integer quotient", |acc, d| {
                (acc / d.round_ties_even()).trunc()
            }),
            form("truncated, then an integer quotient", |acc, d| {
                (acc / d.trunc()).trunc()
            }),
        ];
        forms.into_iter().flatten().collect()
    },
};
