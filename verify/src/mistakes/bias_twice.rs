//! `bias-twice`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "bias-twice",
    group: Group::Scales,
    what: "the bias is added twice",
    right: "β_q is added once (eq. 6, 7, 22)",
    shows: "in the accumulators of a layer",
    mend: "either start the sum from the bias or add it after, not both",
    source: "kernels that take a bias and start from one",
    variants: |site| {
        site.bias_codes("", |_, code| 2 * code)
            .into_iter()
            .collect()
    },
};
