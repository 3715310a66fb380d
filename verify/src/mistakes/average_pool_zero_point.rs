//! `average-pool-zero-point`.

use std::sync::Arc;

use super::{Group, Mistake, Variant};
use crate::model::{MeanRounding, Step};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "average-pool-zero-point",
    group: Group::ZeroPoints,
    what: "the mean is taken of the codes themselves, zero point included",
    right: "mean of q − z, rounded, then + z: padding counts as real 0, and ties do not follow z",
    shows: "in the codes after a pool",
    mend: "subtract z before the mean and add it after",
    source: "pools written for symmetric codes",
    variants: |site| {
        let pool = match site.step {
            Step::AveragePool(pool) if pool.zero_point != 0.0 => pool,
            _ => return Vec::new(),
        };
        let z = pool.zero_point as i64;
        let mut rounded = pool.clone();
        rounded.rounding = MeanRounding::Other(Arc::new(move |sum, count| {
            let mean = (sum + count * z) as f64 / count as f64;
            mean.round_ties_even() as i64 - z
        }));
        let mut cut = pool.clone();
        cut.rounding =
            MeanRounding::Other(Arc::new(move |sum, count| (sum + count * z) / count - z));
        let mut padded = pool.clone();
        // Padding adds the code 0.
        padded.zero_point = 0.0;
        vec![
            Variant::named("rounded", Step::AveragePool(rounded)),
            Variant::named("cut off", Step::AveragePool(cut)),
            Variant::named("padded with the code 0", Step::AveragePool(padded)),
        ]
    },
};
