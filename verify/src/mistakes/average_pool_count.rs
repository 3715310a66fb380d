//! `average-pool-count`.

use super::{Group, Mistake, Variant};
use crate::model::Step;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "average-pool-count",
    group: Group::Layout,
    what: "the mean is divided by another count: with the padding or without it",
    right: "count_include_pad says whether padding counts (PyTorch: it does)",
    shows: "in the codes after a pool",
    mend: "take count_include_pad from the network",
    source: "ONNX's default is the opposite of PyTorch's",
    variants: |site| match site.step {
        Step::AveragePool(pool) if pool.geometry.window.padding != [0, 0] => {
            let mut pool = pool.clone();
            pool.geometry.count_include_pad = !pool.geometry.count_include_pad;
            Variant::only(Step::AveragePool(pool))
        }
        _ => Vec::new(),
    },
};
