//! `weight-zero-point-ignored`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "weight-zero-point-ignored",
    group: Group::ZeroPoints,
    what: "the weights' zero point is not subtracted",
    right: "acc = Σ (w_q − z_W)(q − z_I) + β_q (eq. 22)",
    shows: "in the accumulators of a layer",
    mend: "subtract z_W·Σ(q − z_I), or subtract z_W from each code",
    source: "kernels written for symmetric weights",
    variants: |site| {
        site.sums("", |sums| sums.weight_zero_points.fill(0))
            .into_iter()
            .collect()
    },
};
