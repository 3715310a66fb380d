//! `bias-rounding`.

use super::variant::{Form, Real};
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "bias-rounding",
    group: Group::Scales,
    what: "bias codes are rounded otherwise than half to even",
    right: "β_q = round(β/c_i), halves to even (eq. 11)",
    shows: "in the accumulators of a layer",
    mend: "round the float64 quotient with rint",
    source: "bias code that is cast to int",
    variants: |site| {
        let forms: [Form<Real>; 4] = [
            ("truncated", f64::trunc),
            ("floor", f64::floor),
            ("half away", f64::round),
            ("in float32", |code| {
                f64::from(code as f32).round_ties_even()
            }),
        ];
        forms
            .into_iter()
            .filter_map(|(form, round)| site.bias_of(form, |bias, parts| round(bias / parts.all())))
            .collect()
    },
};
