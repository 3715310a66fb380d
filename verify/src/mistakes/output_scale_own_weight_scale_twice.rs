//! `output-scale-own-weight-scale-twice`.

use quant::contracts::Channel;

use super::recipe::Recipe;
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "output-scale-own-weight-scale-twice",
    group: Group::Scales,
    what: "the layer's own s_W goes into s_O (or into M) twice",
    right: "c_i holds s_Wi once and the scales of the earlier layers (eq. 8); M = s_W·s_I/S_O (eq. 13)",
    shows: "in the accumulators of a layer, the codes that a layer's accumulators become",
    mend: "append (s_W, s_O) to the history only after the layer is done",
    source: "students' solutions of a quantization exercise",
    variants: |site| match site.is_relative() {
        true => site.outputs_by(
            "",
            &Recipe {
                composed: |parts| parts.all() * parts.own,
                ..Recipe::RIGHT
            },
        ),
        false => site
            .rescaled("", |_, channel| {
                Some(Channel {
                    weight_scale: channel.weight_scale * channel.weight_scale,
                    ..channel
                })
            })
            .into_iter()
            .collect(),
    },
};
