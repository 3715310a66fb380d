//! The bias, in steps of the accumulator.

use super::composed::accumulator_scale;
use crate::{QuantError, Rounding, Scale};

/// Eq. 11: `s_βi = c_i` (eq. 8), `β_iq = round(β_i / s_βi)`, int32.
///
/// The scale is the accumulator's own, so β_iq adds straight into it. One f64
/// division, halves to even.
///
/// # Errors
/// A bias that is not finite, or whose code does not fit int32.
pub fn quantized_bias(
    bias: &[f32],
    s_w: Scale,
    s_initial_input: Scale,
    ss: &[(Scale, Scale)],
) -> Result<Vec<i32>, QuantError> {
    let scale = accumulator_scale(s_w, s_initial_input, ss);
    (bias.iter().enumerate())
        .map(|(index, &bias)| {
            if !bias.is_finite() {
                return Err(QuantError::NotFinite { index, value: bias });
            }
            let code = Rounding::TiesToEven.round(f64::from(bias) / scale);
            if code < f64::from(i32::MIN) || code > f64::from(i32::MAX) {
                return Err(QuantError::BiasOverflow {
                    index,
                    bias,
                    code,
                    bits: 32,
                });
            }
            Ok(code as i32)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(value: f64) -> Scale {
        Scale::new(value).unwrap()
    }

    #[test]
    fn ties_go_to_even() {
        let codes = quantized_bias(&[0.0625, 0.1875, -0.0625, 1.0], s(0.5), s(0.25), &[]);
        assert_eq!(codes, Ok(vec![0, 2, 0, 8]));
        let deeper = quantized_bias(&[1.0], s(0.5), s(0.25), &[(s(0.5), s(0.5))]);
        assert_eq!(deeper, Ok(vec![32]));
    }

    #[test]
    fn the_ends_of_int32_fit_and_one_more_does_not() {
        let half = s(0.5);
        let two = s(2.0);
        // c = 1: a code is its bias.
        let of = |bias: f32| quantized_bias(&[bias], half, two, &[]);
        assert_eq!(of(-2147483648.0), Ok(vec![i32::MIN]));
        assert_eq!(of(2147483520.0), Ok(vec![2147483520]));
        assert_eq!(
            of(2147483648.0),
            Err(QuantError::BiasOverflow {
                index: 0,
                bias: 2147483648.0,
                code: 2147483648.0,
                bits: 32,
            })
        );
        assert!(matches!(
            of(-2147483904.0),
            Err(QuantError::BiasOverflow { .. })
        ));
        // The largest code itself, which no float32 bias is: c = 1 − 2040²·2⁻⁴⁶.
        let [above, below] = [1.0 + 2040.0 / 8388608.0, 1.0 - 4080.0 / 16777216.0].map(s);
        let largest = quantized_bias(&[2147483520.0, -2147483520.0], above, below, &[]);
        assert_eq!(largest, Ok(vec![i32::MAX, -i32::MAX]));
    }

    #[test]
    fn a_bias_that_is_not_finite_is_an_error() {
        assert!(matches!(
            quantized_bias(&[0.0, f32::NEG_INFINITY], s(1.0), s(1.0), &[]),
            Err(QuantError::NotFinite { index: 1, .. })
        ));
    }
}
