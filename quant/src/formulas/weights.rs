//! Weights.

use reference::Tensor;

use super::{QMAX, quantize};
use crate::observers::max_abs;
use crate::{QuantError, Rounding, Scale};

/// Eq. 4: `s_W = max|W| / 127`, `W_q = clamp(round(W / s_W))`.
///
/// Both divisions in f32, halves to even. The codes have the shape of `weights`
/// and lie in [−127, 127].
///
/// # Errors
/// No weights, one that is not finite, all zero, or so small that the scale is
/// zero in f32.
pub fn quantized_weights(weights: &Tensor<f32>) -> Result<(Tensor<i8>, Scale), QuantError> {
    let scale = max_abs_scale(weights.data())?;
    Ok((
        weights.map(|w| quantize(w, scale, Rounding::TiesToEven)),
        scale,
    ))
}

/// Eq. 3: `s = max|x| / 127`, one f32 division.
///
/// # Errors
/// No values, one that is not finite, all zero, or a scale of zero in f32.
pub(crate) fn max_abs_scale(values: &[f32]) -> Result<Scale, QuantError> {
    let range = max_abs(values)?;
    if range == 0.0 {
        return Err(QuantError::ZeroRange);
    }
    Scale::new(f64::from(range / QMAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_weight_gets_127() {
        let weights = Tensor::new(&[1, 4], vec![0.5, -2.54, 0.011, -0.01]).unwrap();
        let (codes, scale) = quantized_weights(&weights).unwrap();
        assert_eq!(scale.get(), 2.54f32 / 127.0);
        // 0.011 / 0.02 = 0.55 and 0.01 / 0.02 lies just below or on a half.
        assert_eq!(codes.data(), [25, -127, 1, 0]);
        assert_eq!(codes.shape(), [1, 4]);
    }

    #[test]
    fn degenerate_weights_are_errors() {
        let of =
            |values: Vec<f32>| quantized_weights(&Tensor::new(&[values.len()], values).unwrap());
        assert_eq!(of(vec![]), Err(QuantError::Empty));
        assert_eq!(of(vec![0.0, -0.0]), Err(QuantError::ZeroRange));
        assert!(matches!(
            of(vec![1.0, f32::NAN]),
            Err(QuantError::NotFinite { index: 1, .. })
        ));
        let smallest = f32::from_bits(1);
        assert_eq!(of(vec![smallest]), Err(QuantError::Scale { value: 0.0 }));
        assert!(of(vec![f32::MAX, f32::MIN_POSITIVE]).is_ok());
    }
}
