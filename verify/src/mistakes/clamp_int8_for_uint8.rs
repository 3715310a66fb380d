//! `clamp-int8-for-uint8`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "clamp-int8-for-uint8",
    group: Group::Range,
    what: "uint8 outputs are clipped to the limits of int8",
    right: "uint8 codes are clamped to [0, 255] (eq. 22)",
    shows: "in the codes that a layer's accumulators become",
    mend: "clip to the limits of the type that is written",
    source: "kernels ported from int8",
    variants: |site| {
        if !site.requantize().is_some_and(|requantize| {
            requantize
                .channels
                .iter()
                .all(|channel| channel.clamp.low == 0 && channel.clamp.high == 255)
        }) {
            return Vec::new();
        }
        let forms = [("0 to 127", 0.0), ("−128 to 127, then cast", -128.0)];
        forms
            .into_iter()
            .filter_map(|(form, low)| {
                site.overflowing(form, move |_, code| {
                    code.clamp(low, 127.0).rem_euclid(256.0)
                })
            })
            .collect()
    },
};
