//! `bias-missing-weight-scale`.

use super::parts::Parts;
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "bias-missing-weight-scale",
    group: Group::Scales,
    what: "the bias is quantized without s_W: 100 to 300 times too small a code",
    right: "s_β = s_W·s_I·Π_(j<i) s_Wj·s_Oj (eq. 11)",
    shows: "in the accumulators of a layer",
    mend: "multiply the bias scale by the layer's s_W",
    source: "students' solutions of a quantization exercise",
    variants: |site| {
        site.bias_in_steps_of("", Parts::without_own)
            .into_iter()
            .collect()
    },
};
