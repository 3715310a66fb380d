//! `bias-missing-input-scale`.

use super::parts::Parts;
use super::variant::{Form, OfParts};
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "bias-missing-input-scale",
    group: Group::Scales,
    what: "the bias is quantized without the scale of the input",
    right: "s_β = s_W·s_I·Π_(j<i) s_Wj·s_Oj (eq. 11)",
    shows: "in the accumulators of a layer",
    mend: "multiply the bias scale by the input's scale",
    source: "students' solutions of a quantization exercise",
    variants: |site| {
        let forms: [Form<OfParts>; 2] =
            [("", Parts::without_input), ("s_W alone", |parts| parts.own)];
        // In the first layer they are one.
        let some = if site.weighted() == Some(0) || !site.is_relative() {
            1
        } else {
            2
        };
        (forms.into_iter().take(some))
            .filter_map(|(form, step)| site.bias_in_steps_of(form, step))
            .collect()
    },
};
