//! `bias-output-scale`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "bias-output-scale",
    group: Group::Scales,
    what: "the bias is quantized with the scale of the layer's output instead of its input's",
    right: "s_β = s_W·s_I, the scale of what the weights are multiplied by (eq. 11)",
    shows: "in the accumulators of a layer",
    mend: "use the input's scale of this layer, which is the output's of the one before",
    source: "pytorch#23874",
    variants: |site| {
        let Some(origin) = site.origin() else {
            return Vec::new();
        };
        let real = origin.params.scale.wide();
        let mut forms = vec![
            site.bias_in_steps_of("s_W·S_O", |parts| parts.own * real),
            site.bias_in_steps_of("S_O alone", |_| real),
        ];
        if site.is_relative() {
            let output = origin.output.wide();
            forms.push(site.bias_in_steps_of("s_W·s_O", |parts| parts.own * output));
            forms.push(site.bias_in_steps_of("s_O alone", |_| output));
        }
        forms.into_iter().flatten().collect()
    },
};
