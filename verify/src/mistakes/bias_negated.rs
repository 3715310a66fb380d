//! `bias-negated`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "bias-negated",
    group: Group::Scales,
    what: "the bias is subtracted",
    right: "β_q is added (eq. 6, 7, 22)",
    shows: "in the accumulators of a layer",
    mend: "turn the sign of the bias",
    source: "folded batch norms with the sign of the mean kept",
    variants: |site| site.bias_codes("", |_, code| -code).into_iter().collect(),
};
