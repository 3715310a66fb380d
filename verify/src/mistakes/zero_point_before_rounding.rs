//! `zero-point-before-rounding`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "zero-point-before-rounding",
    group: Group::Rounding,
    what: "the zero point is added before rounding: round(acc·M + z), so ties follow an odd z",
    right: "O_q = clamp(round(acc·M) + z_O) (eq. 22)",
    shows: "in the codes that a layer's accumulators become",
    mend: "round first, then add the zero point",
    source: "emx-onnx-cgen PR371",
    variants: |site| {
        if !site.requantize().is_some_and(|requantize| {
            requantize
                .channels
                .iter()
                .any(|channel| channel.output_zero_point != 0)
        }) {
            return Vec::new();
        }
        let forms = [
            site.quotients("", |steps, z| (steps + z).round_ties_even()),
            site.quotients("half away", |steps, z| (steps + z).round()),
            site.quotients("in float32", |steps, z| {
                f64::from((steps as f32 + z as f32).round_ties_even())
            }),
            site.quotients("cut off", |steps, z| (steps + z).trunc()),
        ];
        forms.into_iter().flatten().collect()
    },
};
