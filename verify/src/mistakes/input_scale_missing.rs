//! `input-scale-missing`.

use quant::contracts::Channel;

use super::parts::Parts;
use super::recipe::Recipe;
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "input-scale-missing",
    group: Group::Scales,
    what: "the scale of the input is left out of s_O (or of M)",
    right: "c_i = s_Wi·s_I·Π_(j<i) s_Wj·s_Oj (eq. 8, 10); M = s_W·S_I/S_O (eq. 13)",
    shows: "in the accumulators of a layer, the codes that a layer's accumulators become",
    mend: "multiply the composed scale by the input's scale",
    source: "students' solutions of a quantization exercise",
    variants: |site| match site.is_relative() {
        true => site.outputs_by(
            "",
            &Recipe {
                composed: Parts::without_input,
                ..Recipe::RIGHT
            },
        ),
        false => site
            .rescaled("", |_, channel| {
                Some(Channel {
                    input_scale: 1.0,
                    ..channel
                })
            })
            .into_iter()
            .collect(),
    },
};
