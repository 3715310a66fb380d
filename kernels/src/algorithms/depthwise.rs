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
//! Where windows are one pixel apart and a block holds a whole number of pixels, a row of
//! outputs is one run of bytes whose weights repeat, and no lane is left empty.

use super::channels::Output;
use crate::simd::{Product, Simd};

/// One image.
pub(crate) struct DepthwiseJob<'a> {
    /// The first byte of the first window.
    pub(crate) input: *const u8,
    /// Bytes of the image from there that are rows of windows: rows beyond are not read.
    pub(crate) input_rows: usize,
    /// Bytes from a row of the image to the next.
    pub(crate) pitch: usize,
    /// Rows of outputs.
    pub(crate) rows: usize,
    /// Rows of outputs that are made at once: 1 or 2.
    pub(crate) rows_at_once: usize,
    /// Runs in a row of outputs, and bytes of each.
    pub(crate) runs: usize,
    /// Bytes of a run of outputs.
    pub(crate) run: usize,
    /// Whether the weights of a run repeat after a block.
    pub(crate) repeats: bool,
    /// Bytes of the image from a run to the next.
    pub(crate) run_step: usize,
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

/// Rows of outputs that one interleaving serves.
pub(crate) fn rows_at_once(kernel_rows: usize, stride: usize, dilation: usize) -> usize {
    let rows = dilation * (kernel_rows - 1) + 1 + stride;
    if rows <= 4 && dilation == 1 { 2 } else { 1 }
}

/// Groups of four rows of the image that `rows_at_once` rows of outputs need.
#[inline(always)]
pub(crate) fn row_groups(kernel_rows: usize, rows_at_once: usize) -> usize {
    match rows_at_once {
        2 => 1,
        _ => kernel_rows.div_ceil(4),
    }
}

/// Runs a job.
///
/// # Safety
/// The CPU has the instruction set; the windows, `SLACK` bytes behind the last included, and
/// the outputs are valid memory; weights and constants are as long as the channels need.
#[inline(always)]
pub(crate) unsafe fn run<S: Simd>(job: &DepthwiseJob<'_>) {
    for row in (0..job.rows).step_by(job.rows_at_once) {
        for run in 0..job.runs {
            for at in (0..job.run).step_by(4 * S::LANES) {
                // SAFETY: the caller's.
                unsafe {
                    match job.rows_at_once {
                        2 => block::<S, 2>(job, row, run, at),
                        _ => block::<S, 1>(job, row, run, at),
                    }
                }
            }
        }
    }
}

/// Outputs `at` to `at + 4 · LANES` of a run, of one row or of two.
///
/// # Safety
/// As `run`.
#[inline(always)]
unsafe fn block<S: Simd, const ROWS: usize>(
    job: &DepthwiseJob<'_>,
    row: usize,
    run: usize,
    at: usize,
) {
    let lanes = 4 * S::LANES;
    let groups = row_groups(job.kernel[0], ROWS);
    let index = if job.repeats { 0 } else { at / lanes };
    // SAFETY: the caller's.
    unsafe {
        let mut weights =
            (job.weights.as_ptr()).add(index * groups * job.kernel[1] * ROWS * 4 * lanes);
        let mut bias = [S::splat(0); 4];
        for (v, bias) in bias.iter_mut().enumerate() {
            *bias = S::load(job.bias.as_ptr().add(index * lanes + v * S::LANES));
        }
        let mut acc = [bias; ROWS];
        for group in 0..groups {
            // A row behind the last that counts meets weights of 0: the last stands for it.
            let rows: [*const u8; 4] = std::array::from_fn(|r| {
                let tap = row * job.stride + (4 * group + r) * job.dilation;
                let tap = tap.min(job.input_rows - 1);
                job.input.add(tap * job.pitch + run * job.run_step + at)
            });
            for column in 0..job.kernel[1] {
                let a = S::interleave(rows.map(|row| row.add(column * job.column_step)));
                for acc in &mut acc {
                    for v in 0..4 {
                        let w = S::Bytes::weights(S::load(weights.cast()));
                        acc[v] = S::Bytes::dot(acc[v], S::Bytes::activations(a[v]), w);
                        weights = weights.add(4 * S::LANES);
                    }
                }
            }
        }
        let count = (job.run - at).min(lanes);
        for (below, acc) in acc.into_iter().enumerate() {
            let row = row + below;
            if row < job.rows {
                store::<S>(job, acc, row, run * job.run + at, index * lanes, count);
            }
        }
    }
}

/// Stores `count` outputs of a row from `at` on, whose constants start at `constants`.
///
/// # Safety
/// As `run`.
#[inline(always)]
unsafe fn store<S: Simd>(
    job: &DepthwiseJob<'_>,
    acc: [S::V; 4],
    row: usize,
    at: usize,
    constants: usize,
    count: usize,
) {
    // SAFETY: the caller's; `all` holds the widest vectors.
    unsafe {
        match job.output {
            Output::Accumulators { to, step } => {
                let mut all = [0i32; 64];
                for (v, acc) in acc.into_iter().enumerate() {
                    S::store(all.as_mut_ptr().add(v * S::LANES), acc);
                }
                let to = to.add(row * step[0] + at);
                for (place, acc) in all[..4 * S::LANES].iter().enumerate() {
                    let channel = S::interleaved(place / S::LANES, place % S::LANES);
                    if channel < count {
                        to.add(channel).write(*acc);
                    }
                }
            }
            Output::Codes {
                to,
                step,
                requantizer,
                ..
            } => {
                let mut codes = acc;
                for (v, codes) in codes.iter_mut().enumerate() {
                    let multiplier = requantizer
                        .multipliers
                        .as_ptr()
                        .add(constants + v * S::LANES);
                    let offset = requantizer.offsets.as_ptr().add(constants + v * S::LANES);
                    let [multiplier, offset] = [S::load_f32(multiplier), S::load_f32(offset)];
                    *codes = S::round(requantizer.scaling, *codes, multiplier, offset);
                }
                // A zero point and 128 at most.
                let base = requantizer.base as i16;
                let to = to.add(row * step[0] + at);
                S::store_interleaved(to, codes, base, requantizer.stored(), count);
            }
        }
    }
}
