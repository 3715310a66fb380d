//! `ceiling`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "ceiling",
    group: Group::Rounding,
    what: "outputs are rounded up",
    right: "halves go to the even neighbour, as PyTorch's round (eq. 6, 7, 22)",
    shows: "in the codes that a layer's accumulators become",
    mend: "use round-half-even",
    source: "negative shifts of negated accumulators",
    variants: |site| {
        site.quotients("", |steps, z| steps.ceil() + z)
            .into_iter()
            .collect()
    },
};
