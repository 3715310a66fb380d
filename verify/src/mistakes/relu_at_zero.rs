//! `relu-at-zero`.

use super::{Group, Mistake, Variant};
use crate::model::Step;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "relu-at-zero",
    group: Group::ZeroPoints,
    what: "ReLU clamps at the code 0 instead of the zero point",
    right: "ReLU is max(z_O, q) (eq. 22)",
    shows: "in the codes after a ReLU",
    mend: "clamp below at z_O",
    source: "executorch PR18462",
    variants: |site| match site.step {
        Step::Relu { low } if *low != 0.0 && site.activation_grid().signed => {
            Variant::only(Step::Relu { low: 0.0 })
        }
        _ => Vec::new(),
    },
};
