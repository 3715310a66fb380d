//! `clamp-255-wraps`.

use super::variant::wrap;
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "clamp-255-wraps",
    group: Group::Range,
    what: "outputs are clipped at 255 (or 128), then cast to int8: what is above 127 wraps",
    right: "int8 codes are clamped to [−128, 127] (eq. 6, 7, 22)",
    shows: "in the codes that a layer's accumulators become",
    mend: "clip to the limits of the type that is written",
    source: "onnxruntime#29727",
    variants: |site| {
        if !site.requantize().is_some_and(|requantize| {
            requantize
                .channels
                .iter()
                .all(|channel| channel.clamp.low < 0)
        }) {
            return Vec::new();
        }
        let forms = [
            ("−128 to 255", -128.0, 255.0),
            ("0 to 255", 0.0, 255.0),
            ("−128 to 128", -128.0, 128.0),
        ];
        forms
            .into_iter()
            .filter_map(|(form, low, high)| {
                site.overflowing(form, move |_, code| {
                    wrap(code.clamp(low, high) as i64, 8) as f64
                })
            })
            .collect()
    },
};
