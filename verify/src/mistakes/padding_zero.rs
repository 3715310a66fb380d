//! `padding-zero`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "padding-zero",
    group: Group::ZeroPoints,
    what: "the border is filled with the code 0, which is not the real 0",
    right: "padded positions hold the input's zero point (eq. 22)",
    shows: "in the accumulators of a layer",
    mend: "fill the padding with z_I, or subtract z_I before padding with 0",
    source: "TVM PR4807, executorch PR13576",
    variants: |site| match site.accumulate() {
        Some(sums) if sums.is_padded() => {
            site.sums("", |sums| sums.padding = 0).into_iter().collect()
        }
        _ => Vec::new(),
    },
};
