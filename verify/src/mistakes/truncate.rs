//! `truncate`.

use quant::Rounding;

use super::{Group, Mistake, Variant};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "truncate",
    group: Group::Rounding,
    what: "quotients are cut off toward zero: a cast",
    right: "halves go to the even neighbour, as PyTorch's round (eq. 4 to 7, 22)",
    shows: "in the input's codes, the accumulators of a layer, the codes that a layer's accumulators become",
    mend: "round with rint before the cast",
    source: "C casts, astype(int8)",
    variants: |site| {
        let mut found: Vec<Variant> = Vec::new();
        found.extend(site.rounding("", Rounding::TowardZero));
        found.extend(site.weights_rounded("", f64::trunc));
        found
    },
};
