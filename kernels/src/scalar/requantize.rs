//! Accumulators to codes.

use quant::formulas::output::oiq;
use quant::{Rounding, Scale};

/// `clamp(round(f32(acc) / s_O))`, eq. 6 and 7.
///
/// Ties to even without a branch: the quotient is clamped first (the edges are
/// integers, so this changes no result), then adding and taking away 1.5 · 2²³ rounds
/// it to an integer by the f32 addition's own rule.
pub(super) fn requantize_s32_scalar(
    acc: &[i32],
    output_scale: Scale,
    rounding: Rounding,
    codes: &mut [i8],
) {
    const INTEGERS_ONLY: f32 = 12_582_912.0;
    let scale = output_scale.get();
    match rounding {
        Rounding::TiesToEven => {
            for (code, &acc) in codes.iter_mut().zip(acc) {
                let clamped = (acc as f32 / scale).clamp(-128.0, 127.0);
                *code = ((clamped + INTEGERS_ONLY) - INTEGERS_ONLY) as i8;
            }
        }
        other => {
            for (code, &acc) in codes.iter_mut().zip(acc) {
                *code = oiq(acc, output_scale, other);
            }
        }
    }
}
