//! From a range of activations to a scale and a zero point: eq. 23 and 24.

use crate::observers::Range;
use crate::scheme::{Grid, QuantParams};
use crate::{QuantError, Scale};

/// int8 codes, the lowest included.
const INT8: Grid = Grid {
    bits: 8,
    signed: true,
    narrow: false,
};

/// Scale and zero point of int8 activations; the scale in float64, as NNTool keeps it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sq8Params {
    scale: f64,
    zero_point: i32,
}

impl Sq8Params {
    /// A scale that float32 holds as a positive number, and a zero point that is a code.
    ///
    /// # Errors
    /// It is not so.
    pub fn new(scale: f64, zero_point: i32) -> Result<Self, QuantError> {
        Scale::new(scale)?;
        match INT8.holds(zero_point) {
            true => Ok(Self { scale, zero_point }),
            false => Err(QuantError::ZeroPoint {
                zero_point,
                grid: INT8,
            }),
        }
    }

    /// Eq. 23: `s = max(|high|/127, |low|/128)`, z = 0. −128 is used, so a range that reaches
    /// further below 0 than above has the smaller steps for it.
    ///
    /// # Errors
    /// A range that is not finite, or a scale that float32 does not hold.
    pub fn symmetric(range: Range) -> Result<Self, QuantError> {
        let [low, high] = widened(range)?;
        let scale = (high.abs() / f64::from(INT8.high())).max(low.abs() / -f64::from(INT8.low()));
        Self::new(scale, 0)
    }

    /// Eq. 24: the range, widened to hold 0, over 255 steps. The zero point that the lower end
    /// asks for and the one that the upper end asks for are the same but for roundings; the one
    /// nearer to an integer is taken, of equals the upper end's, and rounded half to even.
    ///
    /// # Errors
    /// A range that is not finite, or a scale that float32 does not hold.
    pub fn asymmetric(range: Range) -> Result<Self, QuantError> {
        let [low, high] = widened(range)?;
        let (low, high) = (low.min(0.0), high.max(0.0));
        let steps = f64::from(INT8.steps());
        let [least, most] = [INT8.low(), INT8.high()].map(f64::from);
        let scale = (high - low) / steps;
        let (of_low, of_high) = (least - low / scale, most - high / scale);
        let beside = |z: f64| (z - z.round_ties_even()).abs();
        let z = match beside(of_low) < beside(of_high) {
            true => of_low,
            false => of_high,
        };
        // A rounding may leave the codes where the range ends at 0.
        match z {
            _ if z < least => Self::new(high / steps, INT8.low()),
            _ if z > most => Self::new(-low / steps, INT8.high()),
            _ => Self::new(scale, z.round_ties_even() as i32),
        }
    }

    /// s: the real size of one step.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// z: the code that stands for 0, −128 to 127.
    pub fn zero_point(&self) -> i32 {
        self.zero_point
    }

    /// The same with the scale as float32.
    ///
    /// # Errors
    /// None: float32 holds it.
    pub fn single(&self) -> Result<QuantParams, QuantError> {
        Ok(QuantParams {
            scale: Scale::new(self.scale)?,
            zero_point: self.zero_point,
            grid: INT8,
        })
    }
}

/// A range of one value c becomes [−c, c], of nothing but zeros [−1, 1].
fn widened(range: Range) -> Result<[f64; 2], QuantError> {
    let ends = [range.low, range.high];
    if let Some(index) = ends.iter().position(|end| !end.is_finite()) {
        let value = ends[index];
        return Err(QuantError::NotFinite { index, value });
    }
    let [low, high] = ends.map(f64::from);
    Ok(match (low == high, high == 0.0) {
        (true, true) => [-1.0, 1.0],
        (true, false) => [-high.abs(), high.abs()],
        (false, _) => [low, high],
    })
}
