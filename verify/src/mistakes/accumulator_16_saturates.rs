//! `accumulator-16-saturates`.

use super::variant::saturate;
use super::{Group, Mistake};
use crate::model::Term;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "accumulator-16-saturates",
    group: Group::Range,
    what: "products are summed in 16 bits, which saturate after each",
    right: "accumulators are int32 (eq. 14)",
    shows: "in the accumulators of a layer",
    mend: "accumulate in int32, or split the sum so that no part leaves int16",
    source: "adds_epi16, vqaddq_s16",
    variants: |site| {
        let mut found = Vec::new();
        for (order, taps) in site.tap_orders() {
            for bias_first in [true, false] {
                let taps = taps.clone();
                let sum = move |terms: &[Term], bias: i64| {
                    let clip = |sum: i64| sum.clamp(i16::MIN.into(), i16::MAX.into());
                    let start = if bias_first { clip(bias) } else { 0 };
                    let sum = taps
                        .iter()
                        .fold(start, |sum, &tap| clip(sum + terms[tap].product()));
                    if bias_first { sum } else { clip(sum + bias) }
                };
                let when = if bias_first { "first" } else { "last" };
                found.extend(site.summing(&format!("{order}, bias {when}"), sum));
            }
        }
        let ends = site.of_sum("once, at the end", |_, sum| saturate(sum as f64, 16));
        found.extend(ends);
        found
    },
};
