//! The range of all but the outermost values.

use super::Range;
use crate::QuantError;
use crate::scheme::Symmetry;

/// Symmetric: the `fraction` quantile of |x|, on both sides. Asymmetric: as much is left out
/// at either end, `(1 − fraction)/2`. Between two values the quantile is interpolated
/// linearly in f64 (PyTorch's and NumPy's default), then rounded to float32.
pub(super) fn range(
    values: &[f32],
    fraction: f64,
    symmetry: Symmetry,
) -> Result<Range, QuantError> {
    if !(fraction > 0.0 && fraction <= 1.0) {
        return Err(QuantError::Unsupported(
            "a percentile must be above 0 and at most 100 %",
        ));
    }
    let mut sorted: Vec<f32> = match symmetry {
        Symmetry::Symmetric => values.iter().map(|v| v.abs()).collect(),
        Symmetry::Asymmetric => values.to_vec(),
    };
    sorted.sort_unstable_by(f32::total_cmp);
    Ok(match symmetry {
        Symmetry::Symmetric => {
            let high = quantile(&sorted, fraction);
            Range { low: -high, high }
        }
        Symmetry::Asymmetric => {
            let outside = (1.0 - fraction) / 2.0;
            Range {
                low: quantile(&sorted, outside),
                high: quantile(&sorted, 1.0 - outside),
            }
        }
    })
}

fn quantile(sorted: &[f32], fraction: f64) -> f32 {
    let position = fraction * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    let (low, high) = (f64::from(sorted[below]), f64::from(sorted[above]));
    (low + (high - low) * (position - below as f64)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_interpolated() {
        let values = [-4.0, 1.0, 2.0, 3.0, 0.0];
        let symmetric = |fraction| range(&values, fraction, Symmetry::Symmetric).unwrap();
        assert_eq!(
            symmetric(1.0),
            Range {
                low: -4.0,
                high: 4.0
            }
        );
        assert_eq!(
            symmetric(0.875),
            Range {
                low: -3.5,
                high: 3.5
            }
        );
        let asymmetric = range(&values, 0.5, Symmetry::Asymmetric).unwrap();
        assert_eq!(
            asymmetric,
            Range {
                low: 0.0,
                high: 2.0
            }
        );
        for fraction in [0.0, 1.1, f64::NAN] {
            assert!(range(&values, fraction, Symmetry::Symmetric).is_err());
        }
    }
}
