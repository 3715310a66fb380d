//! The network's input.

use reference::Tensor;

use super::quantize;
use super::weights::max_abs_scale;
use crate::{QuantError, Rounding, Scale};

/// Eq. 5: `s_I = max|I| / 127` over the (normalized) calibration images, one f32
/// division.
///
/// # Errors
/// No pixels, one that is not finite, or all zero.
pub fn quantize_initial_input(pixels: &Tensor<f32>) -> Result<Scale, QuantError> {
    max_abs_scale(pixels.data())
}

/// Eq. 5: `I_q = clamp(round(I / s_I))`, halves to even.
pub fn quantized_input(pixels: &Tensor<f32>, input_scale: Scale) -> Tensor<i8> {
    pixels.map(|pixel| quantize(pixel, input_scale, Rounding::TiesToEven))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_in_minus_one_to_one_use_the_whole_range() {
        let pixels = Tensor::new(&[4], vec![-1.0, 1.0, 0.0, 0.3]).unwrap();
        let scale = quantize_initial_input(&pixels).unwrap();
        assert_eq!(scale.get(), 1.0f32 / 127.0);
        assert_eq!(quantized_input(&pixels, scale).data(), [-127, 127, 0, 38]);
    }
}
