//! `accumulator-16-wraps`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "accumulator-16-wraps",
    group: Group::Range,
    what: "products are summed in 16 bits, which wrap",
    right: "accumulators are int32 (eq. 14)",
    mend: "accumulate in int32, or split the sum so that no part leaves int16",
    source: "seen in kernels for small microcontrollers",
    variants: |site| {
        // Wrapping is the same whatever the order.
        let wrap = |terms: &[crate::model::Term], bias: i64| {
            let sum = terms.iter().map(crate::model::Term::product).sum::<i64>() + bias;
            i64::from(sum as i16)
        };
        site.summing("", wrap).into_iter().collect()
    },
};
