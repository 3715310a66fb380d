//! Loops that compilers make vectors of: safe code, compiled for each instruction set.

use quant::Rounding;
use reference::Window;

use crate::add::Multipliers;
use crate::algorithms::affine::AffineJob;
use crate::layout::MapShape;

/// One job on one image. Codes are as stored: u8, NHWC.
pub(crate) enum Simple<'a> {
    /// The largest of each window, positions outside of the image left out.
    MaxPool(Pool<'a, u8>),
    /// The mean of each window.
    AveragePool {
        /// Input, output and windows.
        pool: Pool<'a, u8>,
        /// Whether positions outside of the image count.
        count_include_pad: bool,
        /// Of the mean.
        rounding: Rounding,
        /// The stored code of 0.
        zero: i32,
    },
    /// Stored codes of s8 codes.
    Store {
        /// The codes.
        codes: &'a [i8],
        /// As many.
        to: &'a mut [u8],
    },
    /// The same back.
    Load {
        /// Stored codes.
        from: &'a [u8],
        /// As many.
        codes: &'a mut [i8],
    },
    /// Stored sums.
    Add {
        /// The first operand.
        a: &'a [u8],
        /// The second.
        b: &'a [u8],
        /// The constants.
        with: &'a Multipliers,
        /// As many.
        out: &'a mut [u8],
    },
    /// A job on codes of any grid.
    Affine(AffineJob<'a>),
    /// No code below the least.
    AtLeast {
        /// In place.
        codes: &'a mut [u8],
        /// The least.
        least: u8,
    },
}

/// A code as it is stored.
pub(crate) trait Code: Copy + Ord {
    /// The least there is.
    const LEAST: Self;
    /// The same.
    fn wide(self) -> i64;
    /// The low bits: a stored code is in them whole.
    fn of(bits: i32) -> Self;
}

impl Code for u8 {
    const LEAST: Self = 0;
    #[inline(always)]
    fn wide(self) -> i64 {
        i64::from(self)
    }
    #[inline(always)]
    fn of(bits: i32) -> Self {
        bits as Self
    }
}

impl Code for i16 {
    const LEAST: Self = i16::MIN;
    #[inline(always)]
    fn wide(self) -> i64 {
        i64::from(self)
    }
    #[inline(always)]
    fn of(bits: i32) -> Self {
        bits as Self
    }
}

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

impl Simple<'_> {
    /// Runs the job.
    #[inline(always)]
    pub(crate) fn run(self) {
        match self {
            Self::MaxPool(pool) => max_pool(pool),
            Self::AveragePool {
                pool,
                count_include_pad,
                rounding,
                zero,
            } => average_pool(pool, count_include_pad, rounding, zero),
            Self::Store { codes, to } => {
                for (to, &code) in to.iter_mut().zip(codes) {
                    *to = code as u8 ^ 0x80;
                }
            }
            Self::Load { from, codes } => {
                for (code, &stored) in codes.iter_mut().zip(from) {
                    *code = (stored ^ 0x80) as i8;
                }
            }
            Self::Add { a, b, with, out } => {
                for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
                    *out = with.sum(a, b);
                }
            }
            Self::Affine(job) => job.run(),
            Self::AtLeast { codes, least } => {
                for code in codes {
                    *code = (*code).max(least);
                }
            }
        }
    }
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
pub(crate) fn max_pool<C: Code>(pool: Pool<'_, C>) {
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
pub(crate) fn average_pool<C: Code>(
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
