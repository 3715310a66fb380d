//! Pools of codes by themselves, as in [`simple`](super::simple).

use quant::Rounding;
use reference::Window;

use super::Code;
use crate::layout::MapShape;

/// A pool of one image.
pub(crate) struct Pool<'a, C> {
    /// The image and what surrounds it.
    pub(crate) input: &'a [C],
    /// Its shape.
    pub(crate) shape: MapShape,
    /// The windows along rows and columns.
    pub(crate) windows: [Window; 2],
    /// The output and what surrounds it.
    pub(crate) output: &'a mut [C],
    /// Its shape.
    pub(crate) output_shape: MapShape,
}

impl<C> Pool<'_, C> {
    /// Where the channels of output `(y, x)` lie.
    #[inline(always)]
    fn output_at(&self, y: usize, x: usize) -> usize {
        let shape = self.output_shape;
        shape.inside() + y * shape.pitch() + x * shape.channels
    }

    /// Where the pixels of the window of output `(y, x)` lie that are inside of the image.
    #[inline(always)]
    fn window(&self, y: usize, x: usize) -> impl ExactSizeIterator<Item = usize> + use<C> {
        let shape = self.shape;
        let [rows, columns] = self.windows;
        let [ky, kx] = [
            rows.taps_inside(y, shape.height),
            columns.taps_inside(x, shape.width),
        ];
        let [row, column] = [
            y * rows.stride + ky.start - rows.padding,
            x * columns.stride + kx.start - columns.padding,
        ];
        let width = kx.len().max(1);
        let first = shape.inside() + row * shape.pitch() + column * shape.channels;
        (0..ky.len() * kx.len())
            .map(move |tap| first + tap / width * shape.pitch() + tap % width * shape.channels)
    }
}

#[inline(always)]
pub(super) fn max_pool<C: Code>(pool: Pool<'_, C>) {
    let channels = pool.shape.channels;
    for y in 0..pool.output_shape.height {
        for x in 0..pool.output_shape.width {
            let at = pool.output_at(y, x);
            let window = pool.window(y, x);
            let best = &mut pool.output[at..][..channels];
            best.fill(C::LEAST);
            for pixel in window {
                for (best, &code) in best.iter_mut().zip(&pool.input[pixel..][..channels]) {
                    *best = (*best).max(code);
                }
            }
        }
    }
}

#[inline(always)]
pub(super) fn average_pool<C: Code>(
    pool: Pool<'_, C>,
    count_include_pad: bool,
    rounding: Rounding,
    zero: i32,
) {
    /// Channels that are summed at once.
    const BLOCK: usize = 32;
    let channels = pool.shape.channels;
    for y in 0..pool.output_shape.height {
        for x in 0..pool.output_shape.width {
            let at = pool.output_at(y, x);
            let window = pool.window(y, x);
            let inside = window.len();
            let count = match count_include_pad {
                true => pool.windows[0].kernel * pool.windows[1].kernel,
                false => inside,
            };
            for first in (0..channels).step_by(BLOCK) {
                let block = BLOCK.min(channels - first);
                let mut sums = [-(inside as i64) * i64::from(zero); BLOCK];
                for pixel in pool.window(y, x) {
                    let codes = &pool.input[pixel + first..][..block];
                    for (sum, &code) in sums.iter_mut().zip(codes) {
                        *sum += code.wide();
                    }
                }
                let out = &mut pool.output[at + first..][..block];
                for (out, &sum) in out.iter_mut().zip(&sums) {
                    // A mean of codes is a code, so neither cast loses anything.
                    *out = C::of(rounding.round(sum as f64 / count as f64) as i32 + zero);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use reference::PoolGeometry;

    use super::*;

    /// More channels than are summed at once, in memory that holds nothing else.
    #[test]
    fn the_last_block_of_channels_ends_with_them() {
        let channels = 40;
        let shape = |side| MapShape {
            height: side,
            width: side,
            channels,
            border: [0, 0],
        };
        let input: Vec<u8> = (0..4 * channels).map(|at| at as u8).collect();
        let mut output = vec![0; channels];
        let windows = PoolGeometry {
            kernel: [2, 2],
            stride: [2, 2],
            padding: [0, 0],
        };
        let pool = Pool {
            input: &input,
            shape: shape(2),
            windows: windows.windows(),
            output: &mut output,
            output_shape: shape(1),
        };
        average_pool(pool, true, Rounding::TiesToEven, 0);
        let means: Vec<u8> = (60..100).collect();
        assert_eq!(output, means);
    }
}
