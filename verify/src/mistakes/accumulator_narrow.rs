//! `accumulator-narrow`.

use super::variant::{saturate, wrap};
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "accumulator-narrow",
    group: Group::Range,
    what: "the sum is kept in 18, 20 or 24 bits",
    right: "accumulators are int32, or as wide as eq. 14 says",
    shows: "in the accumulators of a layer",
    mend: "give the accumulator the width that the weights ask for",
    source: "accelerators with narrow accumulators",
    variants: |site| {
        [18, 20, 24]
            .into_iter()
            .flat_map(|bits| {
                [
                    site.of_sum(&format!("{bits} bits, wraps"), move |_, sum| {
                        wrap(sum, bits)
                    }),
                    site.of_sum(
                        &format!("{bits} bits, saturates at the end"),
                        move |_, sum| saturate(sum as f64, bits),
                    ),
                ]
            })
            .flatten()
            .collect()
    },
};
