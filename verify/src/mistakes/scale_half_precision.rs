//! `scale-half-precision`.

use super::variant::{Form, Real};
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "scale-half-precision",
    group: Group::Rounding,
    what: "the scale is kept in 16 bits",
    right: "a scale is a float32",
    shows: "in the codes that a layer's accumulators become",
    mend: "store scales as float32",
    source: "exporters that cast every float to half",
    variants: |site| {
        let forms: [Form<Real>; 2] = [
            ("float16", |scale| half::f16::from_f64(scale).to_f64()),
            ("bfloat16", |scale| half::bf16::from_f64(scale).to_f64()),
        ];
        forms
            .into_iter()
            .filter_map(|(form, narrow)| site.with_scales(form, |scale| Some(narrow(scale))))
            .collect()
    },
};
