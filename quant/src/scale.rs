//! The real size of one step.

use crate::QuantError;

/// A positive, finite f32: the real value that one code stands for (or, in the
/// relative convention, the divisor of an accumulator).
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Scale(f32);

impl Scale {
    /// `value` rounded once to f32.
    ///
    /// # Errors
    /// The rounded value is zero, negative, infinite or NaN.
    pub fn new(value: f64) -> Result<Self, QuantError> {
        let rounded = value as f32;
        if rounded > 0.0 && rounded.is_finite() {
            Ok(Self(rounded))
        } else {
            Err(QuantError::Scale { value })
        }
    }

    /// The scale.
    pub fn get(self) -> f32 {
        self.0
    }

    /// The scale as f64, exactly.
    pub fn wide(self) -> f64 {
        f64::from(self.0)
    }
}
