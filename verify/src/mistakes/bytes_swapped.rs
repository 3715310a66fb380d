//! `bytes-swapped`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "bytes-swapped",
    group: Group::Range,
    what: "an int32 is written in one byte order and read in the other",
    right: "accumulators and biases are int32 of one byte order",
    shows: "in the accumulators of a layer",
    mend: "read and write little-endian throughout",
    source: "dumps of big-endian simulators",
    variants: |site| {
        let swap = |value: i64| i64::from((value as i32).swap_bytes());
        let forms = [
            site.bias_codes("bias", |_, code| swap(code)),
            site.of_sum("accumulators", move |_, sum| swap(sum)),
        ];
        forms.into_iter().flatten().collect()
    },
};
