//! `output-scale-multiplied`.

use quant::contracts::Channel;

use super::{Group, Mistake};
use crate::model::Arithmetic;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "output-scale-multiplied",
    group: Group::Scales,
    what: "the accumulator is multiplied where it is to be divided: acc·s_O, or acc/M",
    right: "Oiq = clamp(round(acc/s_O)) (eq. 6, 7), which is acc·M with M = 1/s_O (eq. 13)",
    shows: "in the codes that a layer's accumulators become",
    mend: "divide by s_O, or multiply by its reciprocal",
    source: "the wrong answer that a course's exercise warns of",
    variants: |site| {
        let relative = site.is_relative();
        let wrong = move |channel: &Channel, acc: f64| {
            let steps = match relative {
                true => f64::from(acc as f32 * channel.divisor()),
                false => acc / channel.multiplier(),
            };
            steps.round_ties_even() + f64::from(channel.output_zero_point)
        };
        site.computed("", Arithmetic::other(wrong))
            .into_iter()
            .collect()
    },
};
