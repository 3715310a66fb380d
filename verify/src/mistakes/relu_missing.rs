//! `relu-missing`.

use super::{Group, Mistake, Variant};
use crate::model::Step;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "relu-missing",
    group: Group::Layout,
    what: "the ReLU is left out",
    right: "I_(i+1) = pool(relu(O_i)) (eq. 7)",
    shows: "in the codes after a ReLU",
    mend: "apply the ReLU, or clamp the layer's outputs below at z_O",
    source: "onnxruntime#9425",
    variants: |site| match site.step {
        Step::Relu { low } if *low > f64::from(site.activation_grid().low()) => {
            Variant::only(Step::Identity)
        }
        _ => Vec::new(),
    },
};
