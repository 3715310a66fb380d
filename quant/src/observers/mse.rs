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
    let candidates: Vec<(Range, QuantParams)> = (1..=PARTS)
        .rev()
        .map(|parts| {
            let part = parts as f32 / PARTS as f32;
            Range {
                low: whole.low * part,
                high: whole.high * part,
            }
        })
        // Too narrow for a scale in float32: so are all that follow.
        .map_while(|range| Some((range, QuantParams::of_range(range, grid, symmetry).ok()?)))
        .collect();
    let mut best = (f64::INFINITY, whole);
    for several in candidates.chunks(TOGETHER) {
        let mut params = [several[0].1; TOGETHER];
        for (params, (_, candidate)) in params.iter_mut().zip(several) {
            *params = *candidate;
        }
        for (error, (candidate, _)) in squared_errors(values, &params).into_iter().zip(several) {
            if error < best.0 {
                best = (error, *candidate);
            }
        }
    }
    Ok(best.1)
}

/// Candidates whose errors are summed at the same time: no sum waits for another.
const TOGETHER: usize = 4;
/// Values whose errors are computed, which vectors can do, before they are added in order.
const BLOCK: usize = 64;

/// Σ (x − x̂)² of each candidate, in the order of the values.
fn squared_errors(values: &[f32], params: &[QuantParams; TOGETHER]) -> [f64; TOGETHER] {
    let mut sums = [0.0; TOGETHER];
    for block in values.chunks(BLOCK) {
        let mut errors = [[0f64; BLOCK]; TOGETHER];
        for (errors, params) in errors.iter_mut().zip(params) {
            for (error, &x) in errors.iter_mut().zip(block) {
                *error = f64::from(x) - f64::from(params.round_trip(x));
            }
        }
        for i in 0..block.len() {
            for (sum, errors) in sums.iter_mut().zip(&errors) {
                *sum += errors[i] * errors[i];
            }
        }
    }
    sums
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
        let squared_error = |range| squared_errors(&values, &[params(range); TOGETHER])[0];
        let least = squared_error(found);
        for part in 1..=100 {
            let part = part as f32 / 100.0;
            let other = Range {
                low: -0.3 * part,
                high: part,
            };
            assert!(least <= squared_error(other));
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
        let of = |high: f32| {
            let range = Range { low: -high, high };
            QuantParams::of_range(range, grid, Symmetry::Symmetric).unwrap()
        };
        // In steps of 1 the errors are ¼, ½ on a tie, 73 beyond the end, 0; in steps of 2 they
        // are ¾, ½, 0, 1 on a tie; in steps of ½ they are ¼ on a tie, 0, 136½ beyond the end, 0.
        let params = [of(127.0), of(254.0), of(63.5), of(127.0)];
        let mut values = vec![3.25, -2.5, 200.0, 5.0];
        let expected = [
            0.0625 + 0.25 + 5329.0,
            0.5625 + 0.25 + 0.0 + 1.0,
            0.0625 + 0.0 + 136.5 * 136.5 + 0.0,
            0.0625 + 0.25 + 5329.0,
        ];
        assert_eq!(squared_errors(&values, &params), expected);
        // Beyond one block: what is added comes after.
        values.resize(BLOCK + 1, 0.0);
        values.push(0.25);
        assert_eq!(
            squared_errors(&values, &params),
            expected.map(|sum| sum + 0.0625)
        );
    }
}
