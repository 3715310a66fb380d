//! `scale-few-digits`.

use super::variant::Form;
use super::{Group, Mistake};

type Function = fn(f64) -> String;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "scale-few-digits",
    group: Group::Rounding,
    what: "the scale was written with too few digits",
    right: "a scale is a float32: nine significant digits hold it",
    shows: "in the codes that a layer's accumulators become",
    mend: "write scales with %.9g, in hexadecimal, or as bits",
    source: "scales printed with %f into C headers",
    variants: |site| {
        let forms: [Form<Function>; 3] = [
            ("six decimals", |scale| format!("{scale:.6}")),
            ("four decimals", |scale| format!("{scale:.4}")),
            ("six digits", |scale| format!("{scale:.5e}")),
        ];
        forms
            .into_iter()
            .filter_map(|(form, write)| site.with_scales(form, |scale| write(scale).parse().ok()))
            .collect()
    },
};
