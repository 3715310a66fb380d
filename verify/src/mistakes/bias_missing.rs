//! `bias-missing`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "bias-missing",
    group: Group::Scales,
    what: "the bias is left out",
    right: "β_q is part of the accumulator (eq. 6, 7, 22)",
    shows: "in the accumulators of a layer",
    mend: "start the sum from the bias code",
    source: "exporters that drop a tensor they do not know",
    variants: |site| site.bias_codes("", |_, _| 0).into_iter().collect(),
};
