//! `bias-unscaled`.

use super::variant::{Form, Real};
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "bias-unscaled",
    group: Group::Scales,
    what: "the float bias itself is rounded and added",
    right: "β_q = round(β/c_i) (eq. 11)",
    shows: "in the accumulators of a layer",
    mend: "divide the bias by s_W·s_I (and the history) before rounding",
    source: "a measured case: 60.9 → 57.1 % accuracy",
    variants: |site| {
        let forms: [Form<Real>; 2] = [("rounded", f64::round_ties_even), ("truncated", f64::trunc)];
        forms
            .into_iter()
            .filter_map(|(form, round)| site.bias_of(form, |bias, _| round(bias)))
            .collect()
    },
};
