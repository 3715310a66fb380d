//! `no-clamp-wraps`.

use super::variant::wrap;
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "no-clamp-wraps",
    group: Group::Range,
    what: "a number beyond the codes is cast without saturation, and wraps",
    right: "Oiq = clamp(round(…)) (eq. 6, 7, 22)",
    shows: "in the codes that a layer's accumulators become",
    mend: "clamp to the codes before the cast",
    source: "onnx#6169, in published golden files",
    variants: |site| {
        site.overflowing("", |channel, code| match channel.clamp.low < 0 {
            true => wrap(code as i64, 8) as f64,
            false => (code as i64).rem_euclid(256) as f64,
        })
        .into_iter()
        .collect()
    },
};
