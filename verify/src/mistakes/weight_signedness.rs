//! `weight-signedness`.

use super::variant::other_signedness;
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "weight-signedness",
    group: Group::ZeroPoints,
    what: "the codes of the weights are read as bytes of the other signedness",
    right: "codes have one type from writer to reader: int8, or uint8",
    shows: "in the accumulators of a layer",
    mend: "cast the buffer to the type that was written, or move codes and zero point by 128",
    source: "uint8 weights read as int8",
    variants: |site| {
        site.sums("", |sums| {
            sums.weight = sums.weight.map(|code| other_signedness(code.into()) as i32);
        })
        .into_iter()
        .collect()
    },
};
