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

    #[test]
    fn both_ends_shrink_and_of_equals_the_widest_stays() {
        let grid = Grid {
            bits: 2,
            signed: true,
            narrow: false,
        };
        // Codes 0 to 3 of a step of 1: no error, as for every other range that gives none.
        let exact = Range {
            low: -3.0,
            high: 0.0,
        };
        let values = [-3.0, -2.0, -1.0, 0.0];
        let least = |values: &[f32], whole| range(values, whole, grid, Symmetry::Asymmetric);
        assert_eq!(least(&values, exact), Ok(exact));
        let zeros = least(&[0.0; 3], exact);
        assert_eq!(zeros, Ok(exact));
        // An outlier below is given up.
        let mut values = vec![-9.0; 1];
        values.extend([-1.0; 50]);
        values.extend([-0.5; 50]);
        let whole = Range {
            low: -9.0,
            high: 3.0,
        };
        let found = least(&values, whole).unwrap();
        assert!(
            found.low > -4.5 && found.high == 3.0 * (found.low / -9.0),
            "{found:?}"
        );
    }

    #[test]
    fn errors_are_squared_and_added() {
        let grid = Grid {
            bits: 8,
            signed: true,
            narrow: false,
        };
        let of = Range {
            low: -127.0,
            high: 127.0,
        };
        let params = QuantParams::of_range(of, grid, Symmetry::Symmetric).unwrap();
        // In steps of 1: ¼ above 3, ½ below −2, and 73 beyond the end.
        assert_eq!(
            squared_error(&[3.25, -2.5, 200.0, 5.0], &params),
            0.0625 + 0.25 + 5329.0
        );
    }
}
