//! `accumulator-16-wraps`.

use super::variant::wrap;
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "accumulator-16-wraps",
    group: Group::Range,
    what: "products are summed in 16 bits, which wrap",
    right: "accumulators are int32 (eq. 14)",
    shows: "in the accumulators of a layer",
    mend: "accumulate in int32, or split the sum so that no part leaves int16",
    source: "seen in kernels for small microcontrollers",
    variants: |site| {
        site.of_sum("", |_, sum| wrap(sum, 16))
            .into_iter()
            .collect()
    },
};
