//! `output-scale-missing-history`.

use super::parts::Parts;
use super::recipe::Recipe;
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "output-scale-missing-history",
    group: Group::Scales,
    what: "s_O is made without the scales of the earlier layers, or without some of them",
    right: "s_Oi = max|A_i|/127 / (s_Wi·s_I·Π_(j<i) s_Wj·s_Oj) in the relative convention (eq. 8, 10)",
    shows: "in the accumulators of a layer, the codes that a layer's accumulators become",
    mend: "pass the (s_W, s_O) of every earlier layer to the function that makes s_O",
    source: "students' solutions of a quantization exercise",
    variants: |site| {
        if !site.is_relative() {
            return Vec::new();
        }
        Parts::WITHOUT_HISTORY
            .iter()
            .flat_map(|&(form, composed)| {
                site.outputs_by(
                    form,
                    &Recipe {
                        composed,
                        ..Recipe::RIGHT
                    },
                )
            })
            .collect()
    },
};
