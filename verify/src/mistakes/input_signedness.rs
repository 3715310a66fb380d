//! `input-signedness`.

use super::variant::other_signedness;
use super::{Group, Mistake};
use crate::model::Step;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "input-signedness",
    group: Group::ZeroPoints,
    what: "the codes of the input are read as bytes of the other signedness",
    right: "codes have one type from writer to reader: int8, or uint8",
    shows: "in the accumulators of a layer",
    mend: "cast the buffer to the type that was written, or move codes and zero point by 128",
    source: "uint8 models run by int8 kernels",
    variants: |site| match site.step {
        Step::Accumulate(_) => {
            let read = |code: f64| other_signedness(code as i64) as f64;
            vec![site.fed("", move |codes| Ok(codes.map(read)))]
        }
        _ => Vec::new(),
    },
};
