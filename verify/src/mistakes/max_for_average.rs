//! `max-for-average`.

use super::{Group, Mistake, Variant};
use crate::model::Step;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "max-for-average",
    group: Group::Layout,
    what: "the pool takes the maximum of the window",
    right: "the network's pool takes the mean (eq. 7, 21)",
    shows: "in the codes after a pool",
    mend: "use average pooling",
    source: "pools whose kind is a default",
    variants: |site| match site.step {
        Step::AveragePool(pool) => Variant::only(Step::MaxPool(pool.geometry.window)),
        _ => Vec::new(),
    },
};
