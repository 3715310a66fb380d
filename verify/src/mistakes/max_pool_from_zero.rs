//! `max-pool-from-zero`.

use super::{Group, Mistake};
use crate::model::Step;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "max-pool-from-zero",
    group: Group::Layout,
    what: "the maximum starts from 0",
    right: "the largest code of the window, below 0 too (eq. 7)",
    shows: "in the codes after a pool, where all of a window lie below 0",
    mend: "start from the least code, or from the first of the window",
    source: "accumulators of a pool that are cleared as those of a convolution are",
    variants: |site| match site.step {
        Step::MaxPool(_) if site.activation_grid().signed => {
            vec![site.followed("", |_, pooled| Ok(pooled.map(|code| code.max(0.0))))]
        }
        _ => Vec::new(),
    },
};
