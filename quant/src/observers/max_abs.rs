//! The symmetric range that clips nothing.

use crate::QuantError;

/// `max |x|` (the range of eq. 3), exact.
///
/// # Errors
/// No values, or one that is not finite.
pub fn max_abs(values: &[f32]) -> Result<f32, QuantError> {
    if values.is_empty() {
        return Err(QuantError::Empty);
    }
    let mut range = 0.0f32;
    for (index, &value) in values.iter().enumerate() {
        if !value.is_finite() {
            return Err(QuantError::NotFinite { index, value });
        }
        range = range.max(value.abs());
    }
    Ok(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_larger_side() {
        assert_eq!(max_abs(&[0.5, -3.0, 2.0]), Ok(3.0));
        assert_eq!(max_abs(&[0.5, -3.0, 4.0]), Ok(4.0));
        assert_eq!(max_abs(&[0.0, -0.0]), Ok(0.0));
    }

    #[test]
    fn refuses_what_has_no_range() {
        assert_eq!(max_abs(&[]), Err(QuantError::Empty));
        assert_eq!(
            max_abs(&[1.0, f32::INFINITY]),
            Err(QuantError::NotFinite {
                index: 1,
                value: f32::INFINITY
            })
        );
        assert!(matches!(
            max_abs(&[f32::NAN]),
            Err(QuantError::NotFinite { index: 0, .. })
        ));
    }
}
