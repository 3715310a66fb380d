//! `relu-on-last-layer`.

use super::{Group, Mistake};
use crate::model::Step;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "relu-on-last-layer",
    group: Group::Range,
    what: "a ReLU is put behind a layer that has none",
    right: "ReLU stands where the network has one; logits may be negative (eq. 7)",
    shows: "in the codes that a layer's accumulators become",
    mend: "take the activation from the layer, not from a default",
    source: "builders that fuse ReLU into every layer",
    variants: |site| match site.next() {
        Some(Step::Relu { .. }) => Vec::new(),
        _ => site
            .rescaled("", |_, mut channel| {
                channel.clamp.low = channel
                    .clamp
                    .low
                    .max(channel.output_zero_point)
                    .min(channel.clamp.high);
                Some(channel)
            })
            .into_iter()
            .collect(),
    },
};
