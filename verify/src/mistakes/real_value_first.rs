//! `real-value-first`.

use quant::contracts::Channel;

use super::variant::rounded;
use super::{Group, Mistake};
use crate::model::Arithmetic;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "real-value-first",
    group: Group::Rounding,
    what: "the accumulator is made a float32 real value and quantized again: two roundings more",
    right: "one division by s_O, or one multiplication by M (eq. 6, 7, 22)",
    shows: "in the codes that a layer's accumulators become",
    mend: "requantize the integer; do not pass through real values",
    source: "graphs that dequantize and quantize around every layer",
    variants: |site| {
        let (Some(origin), Some(parts)) = (site.origin(), site.parts(0)) else {
            return Vec::new();
        };
        // In the relative convention one real scale for all.
        let whole = site
            .is_relative()
            .then(|| (parts.all() as f32, origin.params.scale.get()));
        let scales = move |channel: &Channel| {
            whole.unwrap_or_else(|| {
                let [i, w, o] = [
                    channel.input_scale,
                    channel.weight_scale,
                    channel.output_scale,
                ]
                .map(|scale| scale as f32);
                (i * w, o)
            })
        };
        let divided = Arithmetic::other(move |channel, acc| {
            let (step, output) = scales(channel);
            rounded(channel, acc as f32 * step / output)
        });
        let multiplied = Arithmetic::other(move |channel, acc| {
            let (step, output) = scales(channel);
            rounded(channel, acc as f32 * step * (1.0 / output))
        });
        let forms = [
            site.computed("divided by S_O", divided),
            site.computed("times 1/S_O", multiplied),
        ];
        forms.into_iter().flatten().collect()
    },
};
