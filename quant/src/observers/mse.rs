//! The range of the least squared error.

use super::Range;
use crate::QuantError;
use crate::scheme::{Grid, QuantParams, Symmetry};

/// How many parts the whole range is shrunk by, one at a time.
const PARTS: u32 = 100;

/// The candidates are the whole range times 1, 0.99, … 0.01; of equals the widest.
pub(super) fn range(
    values: &[f32],
    whole: Range,
    grid: Grid,
    symmetry: Symmetry,
) -> Result<Range, QuantError> {
    let mut best = (f64::INFINITY, whole);
    for parts in (1..=PARTS).rev() {
        let part = parts as f32 / PARTS as f32;
        let candidate = Range {
            low: whole.low * part,
            high: whole.high * part,
        };
        // Too narrow for a scale in float32: so are all that follow.
        let Ok(params) = QuantParams::of_range(candidate, grid, symmetry) else {
            break;
        };
        let error = squared_error(values, &params);
        if error < best.0 {
            best = (error, candidate);
        }
    }
    Ok(best.1)
}

/// Σ (x − x̂)².
fn squared_error(values: &[f32], params: &QuantParams) -> f64 {
    let errors = values
        .iter()
        .map(|&x| f64::from(x) - f64::from(params.dequantize(params.quantize(x))));
    errors.map(|error| error * error).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outlier_is_given_up_when_that_costs_less() {
        let grid = Grid {
            bits: 3,
            signed: true,
            narrow: false,
        };
        let mut values: Vec<f32> = (0..1000).map(|i| (i as f32 / 500.0 - 1.0) * 0.3).collect();
        values.push(1.0);
        let whole = Range {
            low: -0.3,
            high: 1.0,
        };
        let found = range(&values, whole, grid, Symmetry::Symmetric).unwrap();
        assert!(found.high < 0.5, "{found:?}");
        let params = |range| QuantParams::of_range(range, grid, Symmetry::Symmetric).unwrap();
        let least = squared_error(&values, &params(found));
        for part in 1..=100 {
            let part = part as f32 / 100.0;
            let other = Range {
                low: -0.3 * part,
                high: part,
            };
            assert!(least <= squared_error(&values, &params(other)));
        }
    }
}
