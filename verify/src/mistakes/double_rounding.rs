//! `double-rounding`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "double-rounding",
    group: Group::Rounding,
    what: "a 31-bit product is rounded, then shifted with another rounding",
    right: "one rounding of the exact quotient, halves to even (eq. 6, 7, 22)",
    shows: "in the codes that a layer's accumulators become",
    mend: "round once, or agree on the contract of that framework: 1.4 % of the outputs differ by one",
    source: "tflite-micro#3130, tensorflow#99072",
    variants: |site| {
        [
            ("up, then away", "litert-reference-conv"),
            ("up twice", "litert-optimized"),
        ]
        .into_iter()
        .filter_map(|(form, contract)| site.contract(form, contract))
        .collect()
    },
};
