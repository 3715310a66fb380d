//! The stored bias, which holds both zero points: eq. 26 and 27.

use super::{Sq8Params, round};
use crate::Scale;

/// Eq. 26: `⌊b / (s_W·s_I) + ½⌋` in float64. None where the quotient is beyond int32: there
/// NNTool sets the channel's s_W to 1, by which its weights vanish.
pub fn bias_code(bias: f32, weight_scale: Scale, input: &Sq8Params) -> Option<i64> {
    let code = f64::from(bias) / (weight_scale.wide() * input.scale());
    // NaN is beyond it too.
    (code.abs() <= f64::from(i32::MAX)).then(|| round(code) as i64)
}

/// Eq. 27: the bias code less `z_I·Σ Wq`, which takes the input's zero point out of the sums,
/// plus `⌊z_O·(s_O / (s_I·s_W)) + ½⌋`, which puts the output's in; clamped to int32.
pub fn stored_bias(
    code: i64,
    weights: &[i8],
    weight_scale: Scale,
    input: &Sq8Params,
    output: &Sq8Params,
) -> i32 {
    let sum: i64 = weights.iter().map(|&w| i64::from(w)).sum();
    let taken_out = -i64::from(input.zero_point()) * sum;
    let put_in = match output.zero_point() {
        0 => 0,
        z => {
            let steps = output.scale() / (input.scale() * weight_scale.wide());
            // What int64 does not hold int32 does not either.
            round(f64::from(z) * steps) as i64
        }
    };
    let stored = (code + taken_out).saturating_add(put_in);
    stored.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}
