//! `bias-own-layer-twice`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "bias-own-layer-twice",
    group: Group::Scales,
    what: "the layer's own (s_W, s_O) is in the history when the bias is quantized",
    right: "s_β = c_i, with the scales of the earlier layers only (eq. 8, 11)",
    shows: "in the accumulators of a layer",
    mend: "append (s_W, s_O) after the bias is made",
    source: "students' solutions of a quantization exercise",
    variants: |site| match site.origin() {
        Some(origin) if site.is_relative() => {
            let output = origin.output.wide();
            site.bias_in_steps_of("", |parts| parts.all() * parts.own * output)
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    },
};
