//! `bias-after-relu`.

use super::{Group, Mistake};
use crate::model::Step;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "bias-after-relu",
    group: Group::Scales,
    what: "ReLU is applied before the bias is added",
    right: "O = relu(W * I + β): the bias is part of the accumulator (eq. 7)",
    shows: "in the accumulators of a layer",
    mend: "move the ReLU behind the bias, or behind the requantization",
    source: "fused kernels with the epilogues swapped",
    variants: |site| {
        let relu = site
            .model
            .nodes
            .get(site.node + 2)
            .is_some_and(|node| matches!(node.step, Step::Relu { .. }));
        match site.accumulate() {
            Some(sums) if relu && sums.bias.iter().any(|&bias| bias != 0) => {
                let bias = sums.bias.clone();
                site.of_sum("", move |o, sum| (sum - bias[o]).max(0) + bias[o])
                    .into_iter()
                    .collect()
            }
            _ => Vec::new(),
        }
    },
};
