//! Depthwise convolutions: a channel by itself, up to four kernel rows in one dot product.
//!
//! ```text
//! four rows of the image, channel by channel:      interleaved, a lane a channel:
//!   row 0:  a0 b0 c0 d0 …                            a0 a1 a2 a3 | b0 b1 b2 b3 | …
//!   row 1:  a1 b1 c1 d1 …          ──▶               × weights of one kernel column
//!   row 2:  a2 b2 c2 d2 …                              w0 w1 w2 0      output row y
//!   row 3:  a3 b3 c3 d3 …                              0  w0 w1 w2     output row y + 1
//! ```
//! The interleaved rows serve two rows of outputs where four rows hold both windows. Lanes are
//! in the order in which the instruction set interleaves; weights, biases and constants are
//! packed in it, and storing undoes it:
//!
//! ```text
//! weights:   [block of 4·LANES channels][group of 4 rows][kernel column][output row][4] → LANES × 4 bytes
//! constants: [block of 4·LANES channels][4] → LANES
//! ```
//! A row of outputs is a row of periods, after each of which the weights repeat: pixels; or, where
//! windows are one pixel apart and a block holds a whole number of pixels, blocks, so that no lane
//! is left empty. A tile is the same block of one or two rows and of neighbouring periods, as many
//! as registers allow: each weight is loaded once for all of them.

#![allow(
    clippy::needless_range_loop,
    reason = "tiles are indexed as they are drawn"
)]

use super::channels::Output;
use crate::requantizer::{Requantizer, Scaling};
use crate::simd::{Product, Simd};

/// One image.
pub(crate) struct DepthwiseJob<'a> {
    /// The first byte of the first window.
    pub(crate) input: *const u8,
    /// Rows of the image that windows cover: rows beyond are not read.
    pub(crate) input_rows: usize,
    /// Bytes from a row of the image to the next.
    pub(crate) pitch: usize,
    /// Rows of outputs.
    pub(crate) rows: usize,
    /// Rows of outputs that are made at once: 1 or 2, at most all.
    pub(crate) rows_at_once: usize,
    /// Bytes of a row of outputs.
    pub(crate) row: usize,
    /// Bytes of outputs after which the weights repeat.
    pub(crate) period: usize,
    /// Bytes of the image from a period to the next.
    pub(crate) period_step: usize,
    /// Rows of the image from an output to the one below.
    pub(crate) stride: usize,
    /// Rows of the image from a kernel row to the next.
    pub(crate) dilation: usize,
    /// Rows and columns of the kernel.
    pub(crate) kernel: [usize; 2],
    /// Bytes from a kernel column to the next.
    pub(crate) column_step: usize,
    /// Packed for this instruction set.
    pub(crate) weights: &'a [u8],
    /// In the order of lanes, as all constants.
    pub(crate) bias: &'a [i32],
    /// Where they go, nothing pooled; constants in the order of lanes.
    pub(crate) output: Output<'a>,
}

/// How many of `rows` rows of outputs are made at once: those that one interleaving serves.
pub(crate) fn rows_at_once(
    rows: usize,
    kernel_rows: usize,
    stride: usize,
    dilation: usize,
) -> usize {
    let both = dilation * (kernel_rows - 1) + 1 + stride;
    if both <= 4 && dilation == 1 && rows > 1 {
        2
    } else {
        1
    }
}

/// Groups of four rows of the image: where two rows of outputs are made at once, one holds the
/// windows of both.
#[inline(always)]
pub(crate) fn row_groups(kernel_rows: usize) -> usize {
    kernel_rows.div_ceil(4)
}

/// Runs a job.
///
/// # Safety
/// The CPU has the instruction set; the windows, `SLACK` bytes behind the last included, and
/// the outputs are valid memory; weights and constants are as long as the channels need.
#[inline(always)]
pub(crate) unsafe fn run<S: Simd>(job: &DepthwiseJob<'_>) {
    // SAFETY: the caller's.
    unsafe {
        match job.rows_at_once {
            2 => rows::<S, 2>(job),
            _ => rows::<S, 1>(job),
        }
    }
}

/// All rows, `ROWS` at once.
///
/// # Safety
/// As `run`.
#[inline(always)]
unsafe fn rows<S: Simd, const ROWS: usize>(job: &DepthwiseJob<'_>) {
    let periods = job.row.div_ceil(job.period);
    // Copies, so that the compiler knows that no output changes them.
    let limits = match job.output {
        // A zero point and 128 at most.
        Output::Codes { requantizer, .. } => Limits {
            base: requantizer.base as i16,
            clamp: requantizer.stored,
        },
        Output::Accumulators { .. } => Limits::default(),
    };
    for row in (0..job.rows).step_by(ROWS) {
        // A last row by itself is made with the one above it, again.
        let row = row.min(job.rows - ROWS);
        for first in (0..job.period).step_by(4 * S::LANES) {
            let mut period = 0;
            // SAFETY: the caller's.
            unsafe {
                // A constant decides which tiles are compiled for a set.
                if S::DEPTHWISE_PERIODS == 2 {
                    while period + 2 <= periods {
                        tile::<S, ROWS, 2>(job, limits, row, period, first);
                        period += 2;
                    }
                }
                while period < periods {
                    tile::<S, ROWS, 1>(job, limits, row, period, first);
                    period += 1;
                }
            }
        }
    }
}

/// What is added to rounded products, and the least and the largest stored code then.
#[derive(Clone, Copy, Default)]
struct Limits {
    base: i16,
    clamp: [u8; 2],
}

/// `[period][row][vector]`.
type Tile<S, const ROWS: usize, const PERIODS: usize> = [[[<S as Simd>::V; 4]; ROWS]; PERIODS];

/// The block from byte `first` of a period on, of `ROWS` rows and `PERIODS` periods.
///
/// # Safety
/// As `run`; the rows and periods are the job's.
#[inline(always)]
unsafe fn tile<S: Simd, const ROWS: usize, const PERIODS: usize>(
    job: &DepthwiseJob<'_>,
    limits: Limits,
    row: usize,
    period: usize,
    first: usize,
) {
    let lanes = 4 * S::LANES;
    // SAFETY: the caller's.
    unsafe {
        let acc = accumulators::<S, ROWS, PERIODS>(job, row, period, first);
        match job.output {
            Output::Accumulators { to, step } => {
                for p in 0..PERIODS {
                    for below in 0..ROWS {
                        let (at, count) = place(job, period + p, first, lanes);
                        let to = to.add((row + below) * step[0] + at);
                        store_accumulators::<S>(to, acc[p][below], count);
                    }
                }
            }
            Output::Codes {
                to,
                step,
                requantizer,
                ..
            } => {
                // A constant in each: otherwise every vector asks.
                let codes = match requantizer.scaling {
                    Scaling::Multiply => {
                        codes::<S, ROWS, PERIODS>(acc, Scaling::Multiply, requantizer, first)
                    }
                    Scaling::Divide => {
                        codes::<S, ROWS, PERIODS>(acc, Scaling::Divide, requantizer, first)
                    }
                };
                let Limits { base, clamp } = limits;
                for p in 0..PERIODS {
                    for below in 0..ROWS {
                        let (at, count) = place(job, period + p, first, lanes);
                        let to = to.add((row + below) * step[0] + at);
                        S::store_interleaved(to, codes[p][below], base, clamp, count);
                    }
                }
            }
        }
    }
}

/// Where a block of a period begins in its row, and how many of its values lie there.
#[inline(always)]
fn place(job: &DepthwiseJob<'_>, period: usize, first: usize, lanes: usize) -> (usize, usize) {
    let at = period * job.period + first;
    (at, (job.period - first).min(job.row - at).min(lanes))
}

/// The accumulators of a tile.
///
/// # Safety
/// As `tile`.
#[inline(always)]
unsafe fn accumulators<S: Simd, const ROWS: usize, const PERIODS: usize>(
    job: &DepthwiseJob<'_>,
    row: usize,
    period: usize,
    first: usize,
) -> Tile<S, ROWS, PERIODS> {
    let groups = row_groups(job.kernel[0]);
    // SAFETY: the caller's.
    unsafe {
        let of_block = groups * job.kernel[1] * ROWS * 4;
        let mut weights = job.weights.as_ptr().add(first * of_block);
        let mut bias = [S::splat(0); 4];
        for (v, bias) in bias.iter_mut().enumerate() {
            *bias = S::load(job.bias.as_ptr().add(first + v * S::LANES));
        }
        let mut acc = [[bias; ROWS]; PERIODS];
        for group in 0..groups {
            // A row behind the last that counts meets weights of 0: the last stands for it.
            let mut rows = [job.input; 4];
            for (r, from) in rows.iter_mut().enumerate() {
                let tap = row * job.stride + (4 * group + r) * job.dilation;
                let tap = tap.min(job.input_rows - 1);
                *from = (job.input).add(tap * job.pitch + period * job.period_step + first);
            }
            for _ in 0..job.kernel[1] {
                let mut a = [bias; PERIODS];
                for (p, a) in a.iter_mut().enumerate() {
                    let mut rows = rows;
                    for row in &mut rows {
                        *row = row.add(p * job.period_step);
                    }
                    *a = S::interleave(rows);
                }
                for below in 0..ROWS {
                    for v in 0..4 {
                        let w = S::Bytes::weights(S::load(weights.cast()));
                        weights = weights.add(4 * S::LANES);
                        for p in 0..PERIODS {
                            let a = S::Bytes::activations(a[p][v]);
                            acc[p][below][v] = S::Bytes::dot(acc[p][below][v], a, w);
                        }
                    }
                }
                for row in &mut rows {
                    // Behind the last column it may lie outside.
                    *row = row.wrapping_add(job.column_step);
                }
            }
        }
        acc
    }
}

/// The codes of a tile, whose constants start at `constants`; not clamped, and without the base.
///
/// # Safety
/// As `tile`.
#[inline(always)]
unsafe fn codes<S: Simd, const ROWS: usize, const PERIODS: usize>(
    mut acc: Tile<S, ROWS, PERIODS>,
    scaling: Scaling,
    requantizer: &Requantizer,
    constants: usize,
) -> Tile<S, ROWS, PERIODS> {
    for v in 0..4 {
        let at = constants + v * S::LANES;
        // SAFETY: the caller's.
        unsafe {
            let multiplier = S::load_f32(requantizer.multipliers.as_ptr().add(at));
            let offset = S::load_f32(requantizer.offsets.as_ptr().add(at));
            for p in 0..PERIODS {
                for below in 0..ROWS {
                    acc[p][below][v] = S::round(scaling, acc[p][below][v], multiplier, offset);
                }
            }
        }
    }
    acc
}

/// Stores the first `count` accumulators of a block in the order of channels.
///
/// # Safety
/// The CPU has the instruction set; there is room for so many.
#[inline(always)]
unsafe fn store_accumulators<S: Simd>(to: *mut i32, acc: [S::V; 4], count: usize) {
    let mut all = [0i32; 64];
    // SAFETY: the caller's; `all` holds the widest vectors.
    unsafe {
        for (v, acc) in acc.into_iter().enumerate() {
            S::store(all.as_mut_ptr().add(v * S::LANES), acc);
        }
        for (place, acc) in all[..4 * S::LANES].iter().enumerate() {
            let channel = S::interleaved(place / S::LANES, place % S::LANES);
            if channel < count {
                to.add(channel).write(*acc);
            }
        }
    }
}
