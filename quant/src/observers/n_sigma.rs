//! The range that mean and standard deviation give.

use super::Range;
use crate::QuantError;

/// Mean and sample standard deviation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// μ.
    pub mean: f64,
    /// σ, with n − 1 under the root, as PyTorch's; 0 for a single value.
    pub deviation: f64,
}

/// Mean and deviation in f64, in two passes.
pub fn moments(values: &[f32]) -> Moments {
    let count = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
    let squares: f64 = (values.iter())
        .map(|&v| (f64::from(v) - mean) * (f64::from(v) - mean))
        .sum();
    Moments {
        mean,
        deviation: match values.len() {
            0 | 1 => 0.0,
            _ => (squares / (count - 1.0)).sqrt(),
        },
    }
}

/// μ − nσ to μ + nσ, each rounded once to float32; no wider than `cap`, if there is one.
pub(super) fn range(values: &[f32], n: f64, cap: Option<Range>) -> Result<Range, QuantError> {
    if !(n > 0.0 && n.is_finite()) {
        return Err(QuantError::Unsupported(
            "n of an n·σ range must be positive",
        ));
    }
    let Moments { mean, deviation } = moments(values);
    let range = Range {
        low: (mean - n * deviation) as f32,
        high: (mean + n * deviation) as f32,
    };
    Ok(match cap {
        None => range,
        Some(cap) => Range {
            low: range.low.max(cap.low),
            high: range.high.min(cap.high),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviation_is_the_sample_one() {
        let of = moments(&[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(of.mean, 2.5);
        assert_eq!(of.deviation, (5.0f64 / 3.0).sqrt());
        assert_eq!(moments(&[7.0]).deviation, 0.0);
    }

    #[test]
    fn a_range_about_the_mean_wider_than_the_data_or_not() {
        let values = [0.0, 0.0, 3.0, 3.0];
        let sigma = 3f64.sqrt();
        let two = range(&values, 2.0, None).unwrap();
        assert_eq!(two.low, (1.5 - 2.0 * sigma) as f32);
        assert_eq!(two.high, (1.5 + 2.0 * sigma) as f32);
        let data = Range {
            low: 0.0,
            high: 3.0,
        };
        assert_eq!(range(&values, 2.0, Some(data)), Ok(data));
        let half = range(&values, 0.5, Some(data)).unwrap();
        assert_eq!(half.high, (1.5 + 0.5 * sigma) as f32);
        assert!(range(&values, 0.0, None).is_err());
        assert!(range(&values, f64::NAN, None).is_err());
    }
}
