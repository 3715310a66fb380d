//! Zeros around maps, so that no tap of a convolution lies outside.

use pulp::Simd;

/// Rows and columns of zeros on both sides of each map.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pad {
    /// [C, H, W].
    pub(super) input: [usize; 3],
    /// Rows, columns.
    pub(super) padding: [usize; 2],
}

impl Pad {
    /// [C, H, W] with the zeros.
    pub(super) fn output(&self) -> [usize; 3] {
        let ([c, h, w], [rows, columns]) = (self.input, self.padding);
        [c, h + 2 * rows, w + 2 * columns]
    }

    #[inline(always)]
    pub(super) fn run<S: Simd>(&self, simd: S, maps: &[S::f32s]) -> Vec<S::f32s> {
        let [_, height, width] = self.input;
        let [channels, padded_height, padded_width] = self.output();
        let mut padded = vec![simd.splat_f32s(0.0); channels * padded_height * padded_width];
        for (row, line) in maps.chunks_exact(width.max(1)).enumerate() {
            let (channel, y) = (row / height, row % height);
            let start = (channel * padded_height + y + self.padding[0]) * padded_width;
            padded[start + self.padding[1]..][..width].copy_from_slice(line);
        }
        padded
    }
}
