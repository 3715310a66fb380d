//! `bias-clipped`.

use super::variant::saturate;
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "bias-clipped",
    group: Group::Scales,
    what: "the bias saturates in a type too narrow for it",
    right: "bias codes are int32: their scale is tiny (eq. 11)",
    shows: "in the accumulators of a layer",
    mend: "keep the bias as int32, or widen the weight scale of that channel",
    source: "onnxruntime PR22020, PR25278: more than half of the accuracy lost",
    variants: |site| {
        [("int16", 16), ("int8", 8)]
            .into_iter()
            .filter_map(|(form, bits)| site.bias_codes(form, |_, code| saturate(code as f64, bits)))
            .collect()
    },
};
