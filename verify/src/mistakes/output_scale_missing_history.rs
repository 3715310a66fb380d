//! `output-scale-missing-history`.

use super::parts::Parts;
use super::recipe::Recipe;
use super::variant::{Form, OfParts};
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
        let forms: [Form<OfParts>; 4] = [
            ("", Parts::without_history),
            ("only the last layer's kept", Parts::with_last),
            ("only weight scales kept", Parts::with_weights),
            ("only output scales kept", Parts::with_outputs),
        ];
        if !site.is_relative() {
            return Vec::new();
        }
        forms
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
