//! Mean code of a window.

use std::fmt;
use std::sync::Arc;

use quant::Rounding;
use reference::ShapeError;
use reference::ops::AveragePoolGeometry;

use super::Values;

/// `round(Σ (q − z) / count) + z`.
#[derive(Clone, Debug)]
pub struct AveragePool {
    /// The windows.
    pub geometry: AveragePoolGeometry,
    /// The code that stands for 0.
    pub zero_point: f64,
    /// How the mean becomes a code.
    pub rounding: MeanRounding,
}

/// How a quotient of integers becomes one.
#[derive(Clone)]
pub enum MeanRounding {
    /// By a rule, of the exact quotient.
    Rule(Rounding),
    /// By a function of sum and count.
    Other(Arc<dyn Fn(i64, i64) -> i64 + Send + Sync>),
}

impl MeanRounding {
    /// Of SQ8, for windows of so many codes.
    pub(super) fn sq8(count: usize) -> Self {
        match count.is_power_of_two() {
            // Its quotient is exact there.
            true => Self::Rule(Rounding::HalfUp),
            false => Self::Other(Arc::new(quant::sq8::mean)),
        }
    }
}

impl fmt::Debug for MeanRounding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(rounding) => write!(f, "{rounding:?}"),
            Self::Other(_) => f.write_str("Other"),
        }
    }
}

impl AveragePool {
    /// Whether both are seen to be the same mean.
    pub(super) fn is(&self, other: &Self) -> bool {
        let same_rounding = match (&self.rounding, &other.rounding) {
            (MeanRounding::Rule(a), MeanRounding::Rule(b)) => a == b,
            _ => false,
        };
        same_rounding && self.geometry == other.geometry && self.zero_point == other.zero_point
    }

    pub(super) fn run(&self, input: &Values) -> Result<Values, ShapeError> {
        let z = self.zero_point;
        self.geometry.pool(
            input,
            0.0,
            |sum, code| sum + (code - z),
            |sum, count| {
                let mean = match &self.rounding {
                    MeanRounding::Rule(rounding) => rounding.round(sum / count as f64),
                    MeanRounding::Other(divide) => divide(sum as i64, count as i64) as f64,
                };
                mean + z
            },
        )
    }
}
