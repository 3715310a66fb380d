//! What codes stand for.

use crate::contracts::ContractError;
use crate::contracts::channel::{check_scale, check_zero_point};

/// A scale and a zero point: the code q stands for `scale · (q − zero_point)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// Real size of a step; positive and finite in float32, to which most libraries round it.
    pub scale: f64,
    /// The code that stands for 0, −128 to 255.
    pub zero_point: i32,
}

impl Grid {
    /// F(s).
    pub(super) fn scale_f32(self) -> f32 {
        self.scale as f32
    }

    /// `f32(1/F(s))`; infinite for the smallest subnormal scales, see
    /// [`usable`](crate::contracts::arithmetic::float::usable).
    pub(super) fn inverse_f32(self) -> f32 {
        1.0 / self.scale_f32()
    }

    /// Whether the grid is one; `which` names it in the error.
    pub(super) fn check(self, which: &'static str) -> Result<(), ContractError> {
        check_scale(which, self.scale)?;
        check_zero_point(self.zero_point)
    }
}
