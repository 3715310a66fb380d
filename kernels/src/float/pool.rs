//! The largest value, or the mean, of each window.

use pulp::Simd;
use reference::ops::AveragePoolGeometry;
use reference::{PoolGeometry, ShapeError};

/// Of one map, the positions that each output reads, those in the padding left out.
#[derive(Clone, Debug)]
pub(super) struct Windows {
    /// H·W.
    map: usize,
    /// In the order (y, x) of the outputs; each in the order (iy, ix).
    positions: Vec<Vec<usize>>,
}

impl Windows {
    /// On maps [C, H, W].
    pub(super) fn new(
        geometry: &PoolGeometry,
        [channels, height, width]: [usize; 3],
    ) -> Result<Self, ShapeError> {
        let [_, _, out_h, out_w] = geometry.output_shape(&[1, channels, height, width])?;
        let [rows, columns] = geometry.windows();
        let inside = |y: usize, x: usize| {
            (rows.taps_inside(y, height))
                .filter_map(|ky| rows.input_at(y, ky, height))
                .flat_map(|iy| {
                    (columns.taps_inside(x, width))
                        .filter_map(move |kx| columns.input_at(x, kx, width))
                        .map(move |ix| iy * width + ix)
                })
                .collect()
        };
        Ok(Self {
            map: height * width,
            positions: (0..out_h * out_w)
                .map(|at| inside(at / out_w, at % out_w))
                .collect(),
        })
    }

    /// NaN wins.
    #[inline(always)]
    pub(super) fn max<S: Simd>(&self, simd: S, maps: &[S::f32s]) -> Vec<S::f32s> {
        let mut out = Vec::with_capacity(maps.len() / self.map.max(1) * self.positions.len());
        for map in maps.chunks_exact(self.map.max(1)) {
            for window in &self.positions {
                let mut best = simd.splat_f32s(f32::NEG_INFINITY);
                for &position in window {
                    let x = map[position];
                    best = simd.select_f32s(simd.greater_than_f32s(x, best), x, best);
                    best = simd.select_f32s(simd.equal_f32s(x, x), best, x);
                }
                out.push(best);
            }
        }
        out
    }
}

/// Windows and what their sums are divided by.
#[derive(Clone, Debug)]
pub(super) struct Average {
    windows: Windows,
    /// One a window.
    counts: Vec<f32>,
}

impl Average {
    /// On maps [C, H, W].
    pub(super) fn new(
        geometry: &AveragePoolGeometry,
        input: [usize; 3],
    ) -> Result<Self, ShapeError> {
        let windows = Windows::new(&geometry.window, input)?;
        let taps: usize = geometry.window.kernel.iter().product();
        let counts = (windows.positions.iter())
            .map(|window| match geometry.count_include_pad {
                true => taps as f32,
                false => window.len() as f32,
            })
            .collect();
        Ok(Self { windows, counts })
    }

    #[inline(always)]
    pub(super) fn run<S: Simd>(&self, simd: S, maps: &[S::f32s]) -> Vec<S::f32s> {
        let Windows { map, positions } = &self.windows;
        let mut out = Vec::with_capacity(maps.len() / (*map).max(1) * positions.len());
        for map in maps.chunks_exact((*map).max(1)) {
            for (window, &count) in positions.iter().zip(&self.counts) {
                let mut sum = simd.splat_f32s(0.0);
                for &position in window {
                    sum = simd.add_f32s(sum, map[position]);
                }
                out.push(simd.div_f32s(sum, simd.splat_f32s(count)));
            }
        }
        out
    }
}
