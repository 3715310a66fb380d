//! The range that keeps the most information.

use super::Range;
use crate::scheme::Grid;

/// Bins of the histogram of |x|.
const BINS: usize = 2048;

/// Clips |x| where the histogram, with all beyond it in its last bin, is nearest in
/// Kullback–Leibler divergence to itself coarsened to the codes of one side. The range is
/// symmetric, and no wider than the data.
pub(super) fn range(values: &[f32], whole: Range, grid: Grid) -> Range {
    let most = whole.high.max(-whole.low);
    let codes = grid.one_side() as usize + 1;
    if most == 0.0 || codes >= BINS {
        return whole;
    }
    let mut histogram = vec![0f64; BINS];
    for value in values {
        let bin = (f64::from(value.abs()) / f64::from(most) * BINS as f64) as usize;
        histogram[bin.min(BINS - 1)] += 1.0;
    }
    let mut best = (f64::INFINITY, BINS);
    for bins in codes..=BINS {
        let divergence = divergence(&histogram, bins, codes);
        if divergence < best.0 {
            best = (divergence, bins);
        }
    }
    let high = most * (best.1 as f32 / BINS as f32);
    Range {
        low: whole.low.max(-high),
        high: whole.high.min(high),
    }
}

/// KL(clipped ‖ coarsened), both normalized over the first `bins`. A bin that is empty
/// stays empty, as its neighbours' mass would say nothing of it.
fn divergence(histogram: &[f64], bins: usize, codes: usize) -> f64 {
    let (kept, beyond) = histogram.split_at(bins);
    let mut clipped = kept.to_vec();
    clipped[bins - 1] += beyond.iter().sum::<f64>();
    let total: f64 = clipped.iter().sum();
    let inside: f64 = kept.iter().sum();
    if inside == 0.0 {
        return f64::INFINITY;
    }
    let mut divergence = 0.0;
    for code in 0..codes {
        let part = code * bins / codes..(code + 1) * bins / codes;
        let filled = kept[part.clone()]
            .iter()
            .filter(|&&count| count > 0.0)
            .count();
        let mean = kept[part.clone()].iter().sum::<f64>() / filled.max(1) as f64;
        for bin in part {
            let p = clipped[bin] / total;
            // Where there was nothing before clipping, half a value stands for it.
            let q = if kept[bin] > 0.0 { mean } else { 0.5 } / inside;
            if p > 0.0 {
                divergence += p * (p / q).ln();
            }
        }
    }
    divergence
}

#[cfg(test)]
mod tests {
    use super::*;

    const INT8: Grid = Grid {
        bits: 8,
        signed: true,
        narrow: false,
    };

    #[test]
    fn what_the_codes_can_tell_apart_is_kept_whole() {
        // Spread evenly: clipping always loses more than coarsening.
        let values: Vec<f32> = (1..=4096).map(|i| i as f32 / 4096.0).collect();
        let whole = Range {
            low: 0.0,
            high: 1.0,
        };
        assert_eq!(range(&values, whole, INT8), whole);
    }

    /// Bins 2, 0, 4, 1 and 3 beyond, in two codes; then 4, 0 and 2 beyond in one.
    #[test]
    fn the_divergence_is_that_of_the_formula() {
        // Of 10 after clipping: 2, 0, 4, 4. Of 7 before it: 2, 0 and the mean of 4 and 1.
        let parts = [(2.0, 2.0), (4.0, 2.5), (4.0, 2.5)];
        let expected: f64 = (parts.into_iter())
            .map(|(p, q)| (p / 10.0, q / 7.0))
            .fold(0.0, |sum, (p, q): (f64, f64)| sum + p * (p / q).ln());
        assert_eq!(divergence(&[2.0, 0.0, 4.0, 1.0, 3.0], 4, 2), expected);
        // Of 6 after clipping: 4, 2. Of 4 before it: 4, and ½ for what was nothing.
        let expected: f64 = [(4.0 / 6.0, 4.0 / 4.0), (2.0 / 6.0, 0.5 / 4.0)]
            .into_iter()
            .fold(0.0, |sum, (p, q): (f64, f64)| sum + p * (p / q).ln());
        assert_eq!(divergence(&[4.0, 0.0, 2.0], 2, 1), expected);
        assert_eq!(divergence(&[0.0, 0.0, 2.0], 2, 1), f64::INFINITY);
    }

    #[test]
    fn a_far_outlier_is_clipped() {
        let mut values: Vec<f32> = (0..100_000).map(|i| (i % 1000) as f32 / 1000.0).collect();
        values.push(50.0);
        let whole = Range {
            low: 0.0,
            high: 50.0,
        };
        let found = range(&values, whole, INT8);
        assert!(found.high < 5.0 && found.low == 0.0, "{found:?}");
    }

    #[test]
    fn zeros_and_many_bits_keep_their_range() {
        let zero = Range {
            low: 0.0,
            high: 0.0,
        };
        assert_eq!(range(&[0.0; 4], zero, INT8), zero);
        let whole = Range {
            low: -1.0,
            high: 1.0,
        };
        let wide = Grid { bits: 16, ..INT8 };
        assert_eq!(range(&[-1.0, 1.0], whole, wide), whole);
    }
}
