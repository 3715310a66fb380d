//! `multiplier-8bit`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "multiplier-8bit",
    group: Group::Rounding,
    what: "the multiplier has 8 bits",
    right: "one rounding of the exact quotient, halves to even (eq. 6, 7, 22)",
    shows: "in the codes that a layer's accumulators become",
    mend: "keep a mantissa of 15 bits and more: 8 bits err by up to 0.4 %",
    source: "GreenWaves SQ8",
    variants: |site| {
        [("rounded", "nntool-sq8"), ("floor", "nntool-sq8-floor")]
            .into_iter()
            .filter_map(|(form, contract)| site.contract(form, contract))
            .collect()
    },
};
