//! `bias-wraps`.

use super::variant::wrap;
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "bias-wraps",
    group: Group::Scales,
    what: "the bias is cast to a type too narrow for it, and wraps",
    right: "bias codes are int32 (eq. 11)",
    shows: "in the accumulators of a layer",
    mend: "keep the bias as int32",
    source: "exporters that cast every parameter to int8",
    variants: |site| {
        [("int16", 16), ("int8", 8)]
            .into_iter()
            .filter_map(|(form, bits)| site.bias_codes(form, |_, code| wrap(code, bits)))
            .collect()
    },
};
