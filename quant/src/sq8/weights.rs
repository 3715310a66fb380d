//! Weights to codes: eq. 25.

use crate::observers::min_max;
use crate::{QuantError, Scale};

/// Weight codes lie in ±127: −128 is left out.
pub const LARGEST_WEIGHT: i8 = 127;

/// Eq. 25: `s_W = f32(max|W| / 127)` of an output channel's weights, or of a whole tensor's. Of
/// nothing but zeros the range is taken to be 1, so that the scale is `f32(1/127)`.
///
/// # Errors
/// No weights, one that is not finite, or a scale that float32 does not hold.
pub fn weight_scale(weights: &[f32]) -> Result<Scale, QuantError> {
    let range = min_max(weights)?;
    let most = match f64::from(range.high.max(-range.low)) {
        0.0 => 1.0,
        most => most,
    };
    Scale::new(most / f64::from(LARGEST_WEIGHT))
}

/// Eq. 25: `clamp(⌊f32(f32(w / s_W) + ½)⌋)`, the quotient and the sum each rounded to float32.
pub fn weight_code(weight: f32, scale: Scale) -> i8 {
    let most = f32::from(LARGEST_WEIGHT);
    // Integers of 8 bits, by the clamp.
    (weight / scale.get() + 0.5).floor().clamp(-most, most) as i8
}
