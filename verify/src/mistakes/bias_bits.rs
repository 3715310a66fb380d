//! `bias-bits`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "bias-bits",
    group: Group::Scales,
    what: "the bits of the float32 bias are read as an int32",
    right: "bias codes are integers in steps of the accumulator (eq. 11)",
    shows: "in the accumulators of a layer",
    mend: "quantize the bias before it is written, or read it as float32",
    source: "files whose bias has no type",
    variants: |site| {
        site.bias_of("", |bias, _| f64::from((bias as f32).to_bits() as i32))
            .into_iter()
            .collect()
    },
};
