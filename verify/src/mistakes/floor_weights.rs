//! `floor-weights`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "floor-weights",
    group: Group::Rounding,
    what: "weight codes are rounded down",
    right: "W_q = clamp(round(W/s_W)), halves to even (eq. 4)",
    shows: "in the accumulators of a layer",
    mend: "round with rint before the cast",
    source: "a measured case: 22.3 dB",
    variants: |site| site.weights_rounded("", f64::floor).into_iter().collect(),
};
