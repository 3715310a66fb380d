//! Every code of a grid, and windows that hold nothing else than codes below zero.

use std::ops::RangeInclusive;

use quant::scheme::QuantParams;
use reference::{ShapeError, Tensor};

use crate::model::Values;

/// Images [N, …] of a map of this shape (its first axis is 1): first every code, then only those
/// below the zero point, which after a ReLU no image has and a maximum that starts from 0 misses.
///
/// # Errors
/// None for the shape of a node.
pub(super) fn input(params: &QuantParams, shape: &[usize]) -> Result<Values, ShapeError> {
    let grid = params.grid;
    let below = grid.low()..=(params.zero_point - 1).max(grid.low());
    let values: usize = shape.iter().skip(1).product();
    let parts = [grid.low()..=grid.high(), below];
    let data: Vec<f64> = (parts.into_iter())
        .flat_map(|codes| scattered(codes, values))
        .collect();
    let mut images = shape.to_vec();
    images[0] = data.len() / values.max(1);
    Tensor::new(&images, data)
}

/// The fewest whole images of so many values that hold all the codes, neighbours far apart.
fn scattered(codes: RangeInclusive<i32>, values: usize) -> impl Iterator<Item = f64> {
    let count = codes.clone().count();
    let images = count.div_ceil(values.max(1));
    // A prime that does not divide the count, so that every code comes.
    let apart = APART[usize::from(count.is_multiple_of(APART[0]))];
    (0..images * values).map(move |at| {
        // Each run of `count` is a permutation, and begins elsewhere than the last.
        let code = (at * apart + at / count) % count;
        f64::from(codes.start() + code as i32)
    })
}

/// How far apart neighbours are: the first, or the other. Together they do for 8,632 codes.
const APART: [usize; 2] = [97, 89];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use quant::Scale;
    use quant::scheme::Grid;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&[1, 6, 28, 28], 0, 2)]
    #[case(&[1, 84], 0, 6)]
    #[case(&[1, 120], -128, 4)]
    #[case(&[1, 1], 5, 256 + 133)]
    fn every_code_and_images_below_zero(
        #[case] shape: &[usize],
        #[case] zero_point: i32,
        #[case] images: usize,
    ) {
        let grid = Grid {
            bits: 8,
            signed: true,
            narrow: false,
        };
        let params = QuantParams {
            scale: Scale::new(1.0).unwrap(),
            zero_point,
            grid,
        };
        let made = input(&params, shape).unwrap();
        assert_eq!(made.shape()[0], images);
        assert_eq!(&made.shape()[1..], &shape[1..]);
        let all: BTreeSet<i32> = made.data().iter().map(|&code| code as i32).collect();
        assert_eq!(all, (-128..=127).collect());
        let last = made.item(images - 1);
        assert!(
            last.iter()
                .all(|&code| code < f64::from(zero_point.max(-127)))
        );
    }

    #[test]
    fn every_code_comes_in_each_run() {
        for low in -128..=127 {
            for high in low..=127 {
                let count = (high - low + 1) as usize;
                let codes: Vec<f64> = scattered(low..=high, count).collect();
                let all: BTreeSet<i32> = codes.iter().map(|&code| code as i32).collect();
                assert_eq!(codes.len(), count);
                assert_eq!(all, (low..=high).collect(), "{low}..={high}");
            }
        }
        assert_eq!(scattered(0..=9, 4).count(), 12);
        // 97 and 1 more for the second run, of ten codes.
        let codes: Vec<f64> = scattered(0..=9, 25).collect();
        assert_eq!(codes[..4], [0.0, 7.0, 4.0, 1.0]);
        assert_eq!(codes[10..14], [1.0, 8.0, 5.0, 2.0]);
    }
}
