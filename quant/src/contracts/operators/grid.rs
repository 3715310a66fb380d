//! What codes stand for.

use crate::contracts::{Clamp, ContractError};

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
        let single = self.scale_f32();
        if !(single > 0.0 && single.is_finite()) {
            let value = self.scale;
            return Err(ContractError::Scale { which, value });
        }
        if !(-128..=255).contains(&self.zero_point) {
            return Err(ContractError::ZeroPoint(self.zero_point));
        }
        Ok(())
    }
}

/// A range of codes within −128 to 255.
pub(super) fn check_clamp(clamp: Clamp) -> Result<(), ContractError> {
    let Clamp { low, high } = clamp;
    if low > high || low < -128 || high > 255 {
        return Err(ContractError::Clamp { low, high });
    }
    Ok(())
}
