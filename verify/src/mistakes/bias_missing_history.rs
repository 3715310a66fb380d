//! `bias-missing-history`.

use super::parts::Parts;
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "bias-missing-history",
    group: Group::Scales,
    what: "the bias is quantized without the scales of the earlier layers, or without some of them",
    right: "s_β = s_W·s_I·Π_(j<i) s_Wj·s_Oj in the relative convention (eq. 11)",
    shows: "in the accumulators of a layer",
    mend: "pass the (s_W, s_O) of every earlier layer to the function that quantizes the bias",
    source: "students' solutions of a quantization exercise",
    variants: |site| {
        Parts::WITHOUT_HISTORY
            .into_iter()
            .filter_map(|(form, step)| site.bias_in_steps_of(form, step))
            .collect()
    },
};
