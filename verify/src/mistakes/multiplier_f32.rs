//! `multiplier-f32`.

use super::variant::{Form, rounded};
use super::{Group, Mistake};
use crate::model::Arithmetic;

type Function = fn(f32, f32, f32) -> f32;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "multiplier-f32",
    group: Group::Rounding,
    what: "the multiplier is formed in float32, or as a reciprocal, or in another order",
    right: "one division of float32 by s_O (eq. 6, 7); M in float64 (eq. 22)",
    shows: "in the codes that a layer's accumulators become",
    mend: "divide, or form s_W·s_I/S_O in float64 in this order; or agree on the contract of that framework",
    source: "tensorflow#102943, tensorflow#42648",
    variants: |site| {
        let forms: [Form<Function>; 4] = [
            ("(s_I·s_W)/s_O", |i, w, o| i * w / o),
            ("s_I·(s_W/s_O)", |i, w, o| i * (w / o)),
            ("s_W·(s_I/s_O)", |i, w, o| w * (i / o)),
            ("(s_I·s_W)·(1/s_O)", |i, w, o| i * w * (1.0 / o)),
        ];
        let in_f32 = forms.into_iter().map(|(form, product)| {
            let arithmetic = Arithmetic::other(move |channel, acc| {
                let [i, w, o] = [
                    channel.input_scale,
                    channel.weight_scale,
                    channel.output_scale,
                ]
                .map(|scale| scale as f32);
                rounded(channel, acc as f32 * product(i, w, o))
            });
            site.computed(form, arithmetic)
        });
        let last = Arithmetic::other(|channel, acc| {
            rounded(channel, acc as f32 * channel.multiplier() as f32)
        });
        let product = Arithmetic::other(|channel, acc| {
            let steps = acc * f64::from(channel.multiplier() as f32);
            steps.round_ties_even() + f64::from(channel.output_zero_point)
        });
        let forms = in_f32.chain([
            site.computed("in float64, then float32", last),
            site.computed("in float64, then float32, the product in float64", product),
        ]);
        forms.flatten().collect()
    },
};
