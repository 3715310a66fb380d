//! Convolutions and matrix products with output channels in the lanes.
//!
//! ```text
//! a tile: pixels × vectors of channels, one accumulator each, held in registers
//!
//!                 weights: LANES channels × 4 bytes, side by side
//!                 ┌──────────────┬──────────────┐
//!                 │ o0 o1 … o15  │ o16 … o31    │   one quad of a tap run
//!                 └──────────────┴──────────────┘
//!   pixel 0 ▪ ──▶   acc[0][0]      acc[0][1]         ▪ four bytes of the pixel's
//!   pixel 1 ▪ ──▶   acc[1][0]      acc[1][1]           window, in every lane
//!
//! packed weights: for each tile of channels, each run, each quad, each vector of the tile:
//!   LANES × 4 bytes                                (see crate::packing)
//! ```
//! A window's bytes are read where they lie (NHWC): each of its rows is one run, so nothing is
//! copied (no im2col). A run is a whole number of quads; what it reads beyond meets weights of
//! 0. A matrix product is a convolution whose pixels are the rows of the matrix.

#![allow(
    clippy::needless_range_loop,
    reason = "tiles are indexed as they are drawn"
)]

use crate::requantizer::Requantizer;
use crate::simd::{Product, Simd};

/// One image, or one matrix.
pub(crate) struct ChannelJob<'a> {
    /// The first byte of the first window.
    pub(crate) input: *const u8,
    /// Rows of outputs.
    pub(crate) rows: usize,
    /// Outputs in a row.
    pub(crate) columns: usize,
    /// Bytes from a window to the one below and to the next.
    pub(crate) window_step: [usize; 2],
    /// Where the runs of a window start, from its first byte.
    pub(crate) runs: &'a [usize],
    /// Quads of a run.
    pub(crate) quads: usize,
    /// Packed for this instruction set.
    pub(crate) weights: &'a [u8],
    /// One a channel, then 0 to a whole number of the widest tiles.
    pub(crate) bias: &'a [i32],
    /// Output channels.
    pub(crate) channels: usize,
    /// Where they go.
    pub(crate) output: Output<'a>,
}

/// What becomes of the accumulators.
#[derive(Clone, Copy)]
pub(crate) enum Output<'a> {
    /// Stored as they are.
    Accumulators {
        /// The first channel of the first output.
        to: *mut i32,
        /// Int32 from an output to the one below and to the next.
        step: [usize; 2],
    },
    /// Requantized, each or the largest of every 2 × 2 (rows and columns are then even).
    Codes {
        /// The first channel of the first output.
        to: *mut u8,
        /// Bytes from an output to the one below and to the next.
        step: [usize; 2],
        /// The constants.
        requantizer: &'a Requantizer,
        /// Whose constants the first channel has.
        first: usize,
        /// Max-pool of 2 × 2 with a stride of 2.
        pooled: bool,
    },
}

impl Output<'_> {
    /// From this channel on: that of a group.
    pub(crate) fn of_group(self, channel: usize) -> Self {
        match self {
            Self::Accumulators { to, step } => Self::Accumulators {
                to: to.wrapping_add(channel),
                step,
            },
            Self::Codes {
                to,
                step,
                requantizer,
                first,
                pooled,
            } => Self::Codes {
                to: to.wrapping_add(channel),
                step,
                requantizer,
                first: first + channel,
                pooled,
            },
        }
    }
}

/// Runs a job.
///
/// # Safety
/// The CPU has the instruction set; the windows, whole quads included, and the outputs are
/// valid memory; weights and constants are as long as the channels need.
#[inline(always)]
pub(crate) unsafe fn run<S: Simd, P: Product<S>>(job: &ChannelJob<'_>) {
    const {
        let [one, two, four] = S::TILE_PIXELS;
        // The least tile that is pooled: two pixels of two rows.
        assert!(one >= 4 && (two == 0 || two >= 4) && (four == 0 || four >= 4));
    }
    let mut first = 0;
    let mut weights = job.weights.as_ptr();
    let steps = job.runs.len() * job.quads;
    while first < job.channels {
        let width = width(S::TILE_PIXELS, (job.channels - first).div_ceil(S::LANES));
        let panel = Panel { first, weights };
        // SAFETY: the caller's; the panel's weights follow those of the last.
        unsafe {
            match width {
                4 => wide::<S, P>(job, panel),
                2 => double::<S, P>(job, panel),
                _ => single::<S, P>(job, panel),
            }
            weights = weights.add(steps * width * 4 * S::LANES);
            first += width * S::LANES;
        }
    }
}

/// How many vectors wide the next tile is where so many are left.
#[inline(always)]
pub(crate) fn width(tile_pixels: [usize; 3], vectors: usize) -> usize {
    match vectors {
        4.. if tile_pixels[2] > 0 => 4,
        2.. if tile_pixels[1] > 0 => 2,
        _ => 1,
    }
}

/// The channels of one tile, and their weights.
#[derive(Clone, Copy)]
struct Panel {
    first: usize,
    weights: *const u8,
}

/// The pixels of the next of the tiles that share `left` pixels evenly, `most` in each.
#[inline(always)]
fn share(left: usize, most: usize) -> usize {
    left.div_ceil(left.div_ceil(most))
}

/// Runs tiles of `$width` vectors over all outputs: each time the least of the sizes that holds
/// its share of the row, or the largest that fits.
macro_rules! tiles {
    ($name:ident, $at:literal, $width:literal, [$($pixels:literal)*], [$($pooled:literal)*]) => {
        #[inline(always)]
        unsafe fn $name<S: Simd, P: Product<S>>(job: &ChannelJob<'_>, panel: Panel) {
            let most = S::TILE_PIXELS[$at];
            let pooled = matches!(job.output, Output::Codes { pooled: true, .. });
            let rows_at_once = if pooled { 2 } else { 1 };
            for row in (0..job.rows).step_by(rows_at_once) {
                let mut column = 0;
                while column < job.columns {
                    let left = rows_at_once * (job.columns - column);
                    let share = share(left, most);
                    let mut size = 1;
                    if pooled {
                        $(if $pooled <= left && $pooled <= most && size < share { size = $pooled; })*
                    } else {
                        $(if $pixels <= left && $pixels <= most && size < share { size = $pixels; })*
                    }
                    // SAFETY: the caller's; the tile lies within the row.
                    unsafe {
                        match (pooled, size) {
                            // Constants decide which tiles are compiled for a set.
                            $((true, $pooled) => {
                                if $pooled <= S::TILE_PIXELS[$at] {
                                    tile::<S, P, $pooled, $width, true>(job, panel, row, column);
                                }
                            })*
                            $((false, $pixels) => {
                                if $pixels <= S::TILE_PIXELS[$at] {
                                    tile::<S, P, $pixels, $width, false>(job, panel, row, column);
                                }
                            })*
                            _ => tile::<S, P, 1, $width, false>(job, panel, row, column),
                        }
                    }
                    column += size / rows_at_once;
                }
            }
        }
    };
}
tiles!(wide, 2, 4, [2 3 4 5 6], [4]);
tiles!(double, 1, 2, [2 4 6 8 14], [4 8 12]);
tiles!(single, 0, 1, [2 4 8 10 16 24], [4 8 16 20 24]);

/// One tile: `PIXELS` in a row, or in two rows above each other, times `VECTORS` of channels.
///
/// # Safety
/// As `run`; the tile lies within the outputs.
#[inline(always)]
unsafe fn tile<
    S: Simd,
    P: Product<S>,
    const PIXELS: usize,
    const VECTORS: usize,
    const POOLED: bool,
>(
    job: &ChannelJob<'_>,
    panel: Panel,
    row: usize,
    column: usize,
) {
    let in_row = if POOLED { PIXELS / 2 } else { PIXELS };
    let [down, next] = job.window_step;
    // SAFETY: the caller's.
    unsafe {
        // Loops, no closures over vectors, here and in every algorithm: a closure is a function
        // of its own, without the target features.
        let mut bias = [S::splat(0); VECTORS];
        for (v, bias) in bias.iter_mut().enumerate() {
            *bias = S::load(job.bias.as_ptr().add(panel.first + v * S::LANES));
        }
        let mut acc = [bias; PIXELS];
        let window = job.input.add(row * down + column * next);
        let mut weights = panel.weights;
        for &run in job.runs {
            let mut quad = window.add(run);
            for _ in 0..job.quads {
                let mut w = [P::weights(S::load(weights.cast())); VECTORS];
                for v in 1..VECTORS {
                    w[v] = P::weights(S::load(weights.add(v * 4 * S::LANES).cast()));
                }
                for pixel in 0..PIXELS {
                    let at = pixel / in_row * down + pixel % in_row * next;
                    let a = P::activations(S::quad(quad.add(at)));
                    for v in 0..VECTORS {
                        acc[pixel][v] = P::dot(acc[pixel][v], a, w[v]);
                    }
                }
                weights = weights.add(VECTORS * 4 * S::LANES);
                quad = quad.add(4);
            }
        }
        if let Output::Accumulators { to, step } = job.output
            && panel.first + VECTORS * S::LANES <= job.channels
        {
            let to = to.add(row * step[0] + column * step[1] + panel.first);
            for pixel in 0..PIXELS {
                for v in 0..VECTORS {
                    S::store(to.add(pixel * step[1] + v * S::LANES), acc[pixel][v]);
                }
            }
            return;
        }
        // What follows indexes a copy in memory, in loops that are not unrolled: if it were the
        // accumulators themselves, they would live in memory while they are added to.
        let mut copy = [bias; PIXELS];
        for pixel in 0..PIXELS {
            for v in 0..VECTORS {
                copy[pixel][v] = acc[pixel][v];
            }
        }
        let acc = std::hint::black_box(&copy);
        match job.output {
            Output::Accumulators { to, step } => {
                for (pixel, acc) in acc.iter().enumerate() {
                    let to = to.add(row * step[0] + (column + pixel) * step[1] + panel.first);
                    for (v, &acc) in acc.iter().enumerate() {
                        let left = job.channels
                            - panel.first
                            - (v * S::LANES).min(job.channels - panel.first);
                        store::<S>(to.add(v * S::LANES), acc, left);
                    }
                }
            }
            Output::Codes {
                to,
                step,
                requantizer,
                first,
                ..
            } => {
                let outputs = if POOLED { PIXELS / 4 } else { PIXELS };
                let start = match POOLED {
                    true => [row / 2, column / 2],
                    false => [row, column],
                };
                let low = S::splat_f32(requantizer.low);
                let high = S::splat_f32(requantizer.high);
                let base = S::splat(requantizer.base);
                for v in 0..VECTORS {
                    let channel = panel.first + v * S::LANES;
                    if channel >= job.channels {
                        break;
                    }
                    let count = (job.channels - channel).min(S::LANES);
                    let multiplier =
                        S::load_f32(requantizer.multipliers.as_ptr().add(first + channel));
                    let offset = S::load_f32(requantizer.offsets.as_ptr().add(first + channel));
                    for output in 0..outputs {
                        let acc = match POOLED {
                            true => {
                                let [left, right] =
                                    [2 * output % PIXELS, (2 * output + 1) % PIXELS];
                                let [below, last] =
                                    [(in_row + left) % PIXELS, (in_row + right) % PIXELS];
                                S::max(
                                    S::max(acc[left][v], acc[right][v]),
                                    S::max(acc[below][v], acc[last][v]),
                                )
                            }
                            false => acc[output][v],
                        };
                        let codes = S::requantize(
                            requantizer.scaling,
                            acc,
                            multiplier,
                            offset,
                            low,
                            high,
                            base,
                        );
                        let at = start[0] * step[0] + (start[1] + output) * step[1] + channel;
                        S::store_bytes(to.add(at), codes, count);
                    }
                }
            }
        }
    }
}

/// The first `count` lanes, at most all; none for 0.
///
/// # Safety
/// The CPU has the instruction set; there is room for so many.
#[inline(always)]
unsafe fn store<S: Simd>(to: *mut i32, v: S::V, count: usize) {
    // SAFETY: the caller's; `all` holds the widest vector.
    unsafe {
        if count >= S::LANES {
            S::store(to, v);
        } else if count > 0 {
            let mut all = [0i32; 16];
            S::store(all.as_mut_ptr(), v);
            to.copy_from_nonoverlapping(all.as_ptr(), count);
        }
    }
}
