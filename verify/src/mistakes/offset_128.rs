//! `offset-128`.

use super::{Group, Mistake};
use crate::model::Step;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "offset-128",
    group: Group::ZeroPoints,
    what: "codes are moved by 128 between int8 and uint8, and the zero point is not",
    right: "z moves with the codes: q − z stays (eq. 22)",
    shows: "in the input's codes, the accumulators of a layer, the codes that a layer's accumulators become",
    mend: "add or subtract 128 from the zero point too, or add 128·Σw to the bias",
    source: "oneDNN's s8s8 compensation left out",
    variants: |site| {
        let moved = if site.activation_grid().signed {
            128
        } else {
            -128
        };
        match site.step {
            Step::Accumulate(_) => vec![site.fed("inputs", move |codes| {
                Ok(codes.map(|code| code + f64::from(moved)))
            })],
            Step::Requantize(_) | Step::Quantize(_) => {
                vec![site.followed("outputs", move |_, codes| {
                    Ok(codes.map(|code| code + f64::from(moved)))
                })]
            }
            _ => Vec::new(),
        }
    },
};
