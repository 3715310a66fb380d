//! `range-max-without-abs`.

use quant::observers::Range;

use super::recipe::Recipe;
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "range-max-without-abs",
    group: Group::Scales,
    what: "the maximum is that of x, not of |x|; so is a range observed after ReLU",
    right: "s = max|x|/127 (eq. 3), of outputs before ReLU (eq. 10)",
    shows: "in the accumulators of a layer, the codes that a layer's accumulators become",
    mend: "take the absolute value first",
    source: "students' solutions; calibration hooks behind the ReLU",
    variants: |site| {
        site.by_symmetric_ranges(&Recipe {
            range: Some(|seen| Range {
                low: 0.0,
                high: seen.range.high,
            }),
            ..Recipe::RIGHT
        })
    },
};
