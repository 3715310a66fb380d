//! `padding-zero`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "padding-zero",
    group: Group::ZeroPoints,
    what: "the border is filled with the code 0, which is not the real 0",
    right: "padded positions hold the input's zero point (eq. 22)",
    mend: "fill the padding with z_I, or subtract z_I before padding with 0",
    source: "TVM PR4807, executorch PR13576",
    variants: |site| match site.accumulate() {
        Some(sums)
            if sums.input_zero_point != 0
                && (sums.geometry).is_some_and(|geometry| geometry.padding != [0, 0]) =>
        {
            site.accumulating(|sums| sums.padding = 0)
        }
        _ => Vec::new(),
    },
};
