//! `output-scale-activations-only`.

use quant::contracts::Channel;

use super::recipe::Recipe;
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "output-scale-activations-only",
    group: Group::Scales,
    what: "s_O is max|A|/127 alone; the accumulator is divided by it",
    right: "s_O = max|A_i|/c_i/127 with c_i of eq. 8 (eq. 10); in the absolute convention M = s_W·s_I/S_O (eq. 13)",
    shows: "in the accumulators of a layer, the codes that a layer's accumulators become",
    mend: "divide the activations by s_W·s_I·Π s_Wj·s_Oj before taking max/127, or multiply by s_W·s_I",
    source: "reference notes of a course",
    variants: |site| match site.is_relative() {
        true => site.outputs_by(
            "",
            &Recipe {
                composed: |_| 1.0,
                ..Recipe::RIGHT
            },
        ),
        false => site
            .rescaled("", |_, channel| {
                Some(Channel {
                    input_scale: 1.0,
                    weight_scale: 1.0,
                    ..channel
                })
            })
            .into_iter()
            .collect(),
    },
};
