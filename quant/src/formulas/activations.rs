//! The output scale, from calibration activations.

use super::QMAX;
use super::composed::accumulator_scale;
use crate::observers::max_abs;
use crate::{QuantError, Scale};

/// Eq. 10: `s_Oi = max|A_i / c_i| / 127` with c_i of eq. 8.
///
/// `activations` are A_i: the float outputs of layer i over all calibration
/// images, bias included, before ReLU and pool. `s_w` is layer i's weight scale,
/// `ss` the (s_W, s_O) of the earlier layers.
///
/// # Errors
/// No activations, one that is not finite, all zero, or a scale that is not a
/// positive finite f32.
pub fn quantize_activations(
    activations: &[f32],
    s_w: Scale,
    s_initial_input: Scale,
    ss: &[(Scale, Scale)],
) -> Result<Scale, QuantError> {
    output_scale(max_abs(activations)?, s_w, s_initial_input, ss)
}

/// Eq. 10 from the range `max|A_i|` alone: dividing by c_i > 0 is monotone, so the
/// maximum may be taken first. Computed in f64 as `(range / c_i) / 127`, then
/// rounded once to f32.
///
/// # Errors
/// A range of zero, or a scale that is not a positive finite f32.
pub fn output_scale(
    range: f32,
    s_w: Scale,
    s_initial_input: Scale,
    ss: &[(Scale, Scale)],
) -> Result<Scale, QuantError> {
    if range == 0.0 {
        return Err(QuantError::ZeroRange);
    }
    let c = accumulator_scale(s_w, s_initial_input, ss);
    Scale::new(f64::from(range) / c / f64::from(QMAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_activation_gets_127() {
        let s = |v| Scale::new(v).unwrap();
        // One accumulator step is 1/8, so −254 is an accumulator of −2032 = −127 · 16.
        let scale = quantize_activations(&[3.0, -254.0, 7.0], s(0.5), s(0.25), &[]).unwrap();
        assert_eq!(scale, s(16.0));
        let deeper = quantize_activations(&[254.0], s(0.5), s(0.25), &[(s(2.0), s(4.0))]).unwrap();
        assert_eq!(deeper, s(2.0));
    }

    #[test]
    fn degenerate_activations_are_errors() {
        let s = Scale::new(0.5).unwrap();
        assert_eq!(quantize_activations(&[], s, s, &[]), Err(QuantError::Empty));
        assert_eq!(
            quantize_activations(&[0.0], s, s, &[]),
            Err(QuantError::ZeroRange)
        );
        let tiny = Scale::new(1e-38).unwrap();
        assert!(matches!(
            quantize_activations(&[1.0], tiny, tiny, &[]),
            Err(QuantError::Scale { .. })
        ));
    }
}
