//! `bias-own-max`.

use super::parts::Parts;
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "bias-own-max",
    group: Group::Scales,
    what: "the bias has a scale of its own, max|β|/127",
    right: "s_β is the accumulator's own scale (eq. 11), or the code cannot be added",
    shows: "in the accumulators of a layer",
    mend: "quantize the bias in steps of s_W·s_I, as int32",
    source: "hidden by MNIST: 98.78 → 98.82 %",
    variants: |site| {
        let bias = site.origin().and_then(|origin| origin.float.bias.as_ref());
        let most = bias.map_or(0.0, |bias| {
            bias.iter().fold(0f32, |most, b| most.max(b.abs()))
        });
        let scale = most / 127.0;
        let code = |bias: f64, _: &Parts| f64::from(bias as f32 / scale).round_ties_even();
        (scale > 0.0)
            .then(|| site.bias_of("", code))
            .flatten()
            .into_iter()
            .collect()
    },
};
