//! `pool-takes-one`.

use reference::PoolGeometry;

use super::{Group, Mistake, Variant};
use crate::model::Step;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "pool-takes-one",
    group: Group::Layout,
    what: "the pool takes one position of the window: a stride without a maximum",
    right: "the network's pool takes the maximum of the window (eq. 7)",
    shows: "in the codes after a pool",
    mend: "compare all positions of the window",
    source: "strided copies in place of pools",
    variants: |site| match site.step {
        Step::MaxPool(window) if window.padding == [0, 0] && window.kernel != [1, 1] => {
            let one = PoolGeometry {
                kernel: [1, 1],
                ..*window
            };
            Variant::only(Step::MaxPool(one))
        }
        _ => Vec::new(),
    },
};
