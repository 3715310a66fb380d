//! The range that clips nothing.

use super::Range;
use crate::QuantError;

/// The smallest and the largest value, exact.
///
/// # Errors
/// No values, or one that is not finite.
pub fn min_max(values: &[f32]) -> Result<Range, QuantError> {
    let Some(&first) = values.first() else {
        return Err(QuantError::Empty);
    };
    let mut range = Range {
        low: first,
        high: first,
    };
    for (index, &value) in values.iter().enumerate() {
        if !value.is_finite() {
            return Err(QuantError::NotFinite { index, value });
        }
        range.low = range.low.min(value);
        range.high = range.high.max(value);
    }
    Ok(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_both_ends() {
        let of = |values: &[f32]| min_max(values).unwrap();
        assert_eq!(
            of(&[0.5, -3.0, 2.0]),
            Range {
                low: -3.0,
                high: 2.0
            }
        );
        assert_eq!(
            of(&[4.0]),
            Range {
                low: 4.0,
                high: 4.0
            }
        );
    }

    #[test]
    fn refuses_what_has_no_range() {
        assert_eq!(min_max(&[]), Err(QuantError::Empty));
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let refused = min_max(&[1.0, value]);
            assert!(matches!(
                refused,
                Err(QuantError::NotFinite { index: 1, .. })
            ));
        }
    }
}
