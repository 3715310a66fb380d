//! `input-zero-point-ignored`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "input-zero-point-ignored",
    group: Group::ZeroPoints,
    what: "the input's zero point is not subtracted",
    right: "acc = Σ (w_q − z_W)(q − z_I) + β_q (eq. 22)",
    shows: "in the accumulators of a layer",
    mend: "subtract z_I·Σ(w_q − z_W), or subtract z_I from each code",
    source: "kernels written for symmetric inputs",
    variants: |site| {
        let skipped =
            |sums: &mut crate::model::Accumulate| (sums.input_zero_point, sums.padding) = (0, 0);
        let mut found: Vec<_> = site
            .sums("", |sums| sums.input_zero_point = 0)
            .into_iter()
            .collect();
        if site
            .accumulate()
            .is_some_and(|sums| sums.is_padded() && sums.padding != 0)
        {
            found.extend(site.sums("padded with 0", skipped));
        }
        found
    },
};
