//! Ranges of tensors.

mod entropy;
mod max_abs;
mod min_max;
mod moving_average;
mod mse;
mod n_sigma;
mod percentile;

pub use max_abs::max_abs;
pub use min_max::min_max;
pub use moving_average::moving_average;
pub use n_sigma::{Moments, moments};

use crate::QuantError;
use crate::scheme::{Grid, Symmetry};

/// The smallest and the largest value that codes are to hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The smallest.
    pub low: f32,
    /// The largest.
    pub high: f32,
}

/// What makes a range of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Observer {
    /// The smallest and the largest value: clips nothing. Symmetric, it is max-abs.
    MinMax,
    /// μ − nσ to μ + nσ, σ the sample standard deviation (n − 1).
    NSigma {
        /// n.
        n: f64,
        /// No wider than the data.
        capped: bool,
    },
    /// All but the outermost values: this fraction of them, in (0, 1].
    Percentile(f64),
    /// Of the min–max range times 1, 0.99, … 0.01, that of the least squared error.
    LeastSquares,
    /// The range whose clipped histogram of |x| loses the least information (KL
    /// divergence) when it is coarsened to the codes of one side.
    Entropy,
}

impl Observer {
    /// The range of these values for codes of a grid.
    ///
    /// # Errors
    /// No values, one that is not finite, or a parameter out of range.
    pub fn range(
        self,
        values: &[f32],
        grid: Grid,
        symmetry: Symmetry,
    ) -> Result<Range, QuantError> {
        let whole = min_max(values)?;
        match self {
            Self::MinMax => Ok(whole),
            Self::NSigma { n, capped } => n_sigma::range(values, n, capped.then_some(whole)),
            Self::Percentile(fraction) => percentile::range(values, fraction, symmetry),
            Self::LeastSquares => mse::range(values, whole, grid, symmetry),
            Self::Entropy => Ok(entropy::range(values, whole, grid)),
        }
    }

    /// Its name.
    pub fn name(self) -> String {
        match self {
            Self::MinMax => "max-abs".into(),
            Self::NSigma { n, capped: false } => format!("{n}σ"),
            Self::NSigma { n, capped: true } => format!("{n}σ, capped"),
            Self::Percentile(fraction) => format!("{} %", fraction * 100.0),
            Self::LeastSquares => "least squares".into(),
            Self::Entropy => "entropy".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Observer::MinMax, "max-abs")]
    #[case(Observer::NSigma { n: 2.5, capped: false }, "2.5σ")]
    #[case(Observer::NSigma { n: 3.0, capped: true }, "3σ, capped")]
    #[case(Observer::Percentile(0.99), "99 %")]
    #[case(Observer::LeastSquares, "least squares")]
    #[case(Observer::Entropy, "entropy")]
    fn each_has_a_name(#[case] observer: Observer, #[case] name: &str) {
        assert_eq!(observer.name(), name);
    }
}
