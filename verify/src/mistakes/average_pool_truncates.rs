//! `average-pool-truncates`.

use quant::Rounding;

use super::{Group, Mistake, Variant};
use crate::model::{MeanRounding, Step};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "average-pool-truncates",
    group: Group::Layout,
    what: "the mean is cut off or rounded down: an integer division",
    right: "the mean of codes is rounded half to even (eq. 21)",
    shows: "in the codes after a pool",
    mend: "add half of the count before dividing",
    source: "TVM PR20298",
    variants: |site| {
        let Step::AveragePool(pool) = site.step else {
            return Vec::new();
        };
        let forms = [
            ("toward zero", Rounding::TowardZero),
            ("rounded down", Rounding::Floor),
        ];
        forms
            .into_iter()
            .map(|(form, rule)| {
                let mut pool = pool.clone();
                pool.rounding = MeanRounding::Rule(rule);
                Variant::named(form, Step::AveragePool(pool))
            })
            .collect()
    },
};
