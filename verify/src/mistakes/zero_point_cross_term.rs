//! `zero-point-cross-term`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "zero-point-cross-term",
    group: Group::ZeroPoints,
    what: "a term is missing of Σqw − z_I·Σw − z_W·Σq + N·z_I·z_W",
    right: "acc = Σ (w_q − z_W)(q − z_I) + β_q, all four terms (eq. 22)",
    shows: "in the accumulators of a layer",
    mend: "add the missing term to the sum or to the packed bias",
    source: "hand-written expansions",
    variants: |site| {
        let Some(sums) = site.accumulate().filter(|sums| {
            sums.input_zero_point != 0 && sums.weight_zero_points.iter().any(|&z| z != 0)
        }) else {
            return Vec::new();
        };
        let count = sums.weight.item_len() as i64;
        let z = i64::from(sums.input_zero_point);
        let terms: Vec<i64> = sums
            .weight_zero_points
            .iter()
            .map(|&w| count * z * i64::from(w))
            .collect();
        let with = |factor: i64, bias: &mut Vec<i64>| {
            for (bias, term) in bias.iter_mut().zip(&terms) {
                *bias += factor * term;
            }
        };
        let forms = [
            site.sums("N·z_I·z_W", |sums| with(-1, &mut sums.bias)),
            site.sums("N·z_I·z_W has the wrong sign", |sums| {
                with(-2, &mut sums.bias)
            }),
            site.sums("z_I·Σw", |sums| {
                sums.input_zero_point = 0;
                with(1, &mut sums.bias);
            }),
            site.sums("z_W·Σq", |sums| {
                sums.weight_zero_points.fill(0);
                with(1, &mut sums.bias);
            }),
        ];
        forms.into_iter().flatten().collect()
    },
};
