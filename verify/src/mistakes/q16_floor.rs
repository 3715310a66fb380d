//! `q16-floor`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "q16-floor",
    group: Group::Rounding,
    what: "the multiplier has steps of 2^−16, and the shift rounds down: (acc·K) >> 16",
    right: "one rounding of the exact quotient, halves to even (eq. 6, 7, 22)",
    shows: "in the codes that a layer's accumulators become",
    mend: "keep a multiplier of 31 bits, and add 2^15 before the shift",
    source: "a hardware course: 98 % agreement, 28.3 dB",
    variants: |site| site.contract("", "q16-floor").into_iter().collect(),
};
