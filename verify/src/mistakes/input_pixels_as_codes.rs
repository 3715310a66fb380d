//! `input-pixels-as-codes`.

use super::variant::{Form, other_signedness};
use super::{Group, Mistake};
use crate::model::{Step, Values};

type Function = fn(i64) -> i64;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "input-pixels-as-codes",
    group: Group::Layout,
    what: "pixels are taken for codes",
    right: "I_q = clamp(round(I/s_I) + z_I) of the normalized image (eq. 5)",
    shows: "in the input's codes",
    mend: "quantize the normalized image",
    source: "front ends that feed the camera's bytes",
    variants: |site| {
        if !matches!(site.step, Step::Quantize(_)) {
            return Vec::new();
        }
        let forms: [Form<Function>; 4] = [
            ("pixel", |pixel| pixel),
            ("pixel − 128", |pixel| pixel - 128),
            ("pixel as int8", other_signedness),
            ("pixel / 2", |pixel| pixel / 2),
        ];
        let code = |form: fn(i64) -> i64| {
            move |pixels: &Values, _| Ok(pixels.map(|pixel| form(pixel as i64) as f64))
        };
        forms
            .into_iter()
            .map(|(name, form)| site.followed(name, code(form)))
            .collect()
    },
};
