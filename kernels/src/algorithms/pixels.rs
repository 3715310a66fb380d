//! Convolutions of few channels with the pixels of a row in the lanes.
//!
//! With three input channels and six output channels, channels would leave ten of sixteen
//! lanes empty. Here a lane is an output pixel:
//!
//! ```text
//! a row of the image, 3 channels:  abc abc abc abc …
//!   quad 0:  lane 0 = abca   lane 1 = abca (3 bytes on)   lane 2 …      first of 15 bytes
//!   quad 1:  lane 0 = bcab   …                                           of a 5-wide window
//!
//! quads of every row, made once an image:  [row][block of LANES pixels][quad] → LANES × 4 bytes
//! weights: [tile of channels][kernel row][quad][channel of the tile] → 4 bytes
//! ```
//! A tile is two rows of outputs, two blocks of pixels and a few channels, so that a max-pool
//! of 2 × 2 takes place in registers. Every weight is broadcast and used four times.

use crate::requantizer::Requantizer;
use crate::simd::{Product, Simd};

use super::channels::Output;

/// One image.
pub(crate) struct PixelJob<'a> {
    /// The first byte of the first window.
    pub(crate) input: *const u8,
    /// Rows of the image that windows read.
    pub(crate) input_rows: usize,
    /// Bytes from a row of the image to the next.
    pub(crate) pitch: usize,
    /// Rows of outputs, and outputs in a row.
    pub(crate) rows: usize,
    /// Outputs in a row.
    pub(crate) columns: usize,
    /// Bytes from a window to the next: 1 to 4.
    pub(crate) step: usize,
    /// Where the quads of a window's row start.
    pub(crate) quads: &'a [usize],
    /// Rows of the image from an output to the one below.
    pub(crate) stride: usize,
    /// Rows of the image from a kernel row to the next.
    pub(crate) dilation: usize,
    /// Rows of the kernel.
    pub(crate) kernel_rows: usize,
    /// Packed for this instruction set.
    pub(crate) weights: &'a [u8],
    /// One a channel.
    pub(crate) bias: &'a [i32],
    /// Output channels.
    pub(crate) channels: usize,
    /// Room for the quads of every row: [`scratch_len`] int32.
    pub(crate) scratch: *mut i32,
    /// Where they go.
    pub(crate) output: Output<'a>,
}

/// Int32 that a job's scratch holds.
pub(crate) fn scratch_len(lanes: usize, input_rows: usize, columns: usize, quads: usize) -> usize {
    input_rows * blocks(lanes, columns) * quads * lanes
}

/// Blocks of pixels in a row: tiles take two at a time.
fn blocks(lanes: usize, columns: usize) -> usize {
    columns.div_ceil(lanes).next_multiple_of(2)
}

/// Runs a job.
///
/// # Safety
/// The CPU has the instruction set; the rows, `SLACK` bytes behind the last included, the
/// scratch and the outputs are valid memory.
#[inline(always)]
pub(crate) unsafe fn run<S: Simd>(job: &PixelJob<'_>) {
    // SAFETY: the caller's.
    unsafe {
        spread::<S>(job);
        let mut first = 0;
        let mut weights = job.weights.as_ptr();
        while first < job.channels {
            let count = (job.channels - first).min(S::PIXEL_TILE_CHANNELS);
            match count {
                6 => tiles::<S, 6>(job, first, weights),
                5 => tiles::<S, 5>(job, first, weights),
                4 => tiles::<S, 4>(job, first, weights),
                3 => tiles::<S, 3>(job, first, weights),
                2 => tiles::<S, 2>(job, first, weights),
                _ => tiles::<S, 1>(job, first, weights),
            }
            weights = weights.add(4 * count * job.kernel_rows * job.quads.len());
            first += count;
        }
    }
}

/// Makes the quads of every row.
///
/// # Safety
/// As `run`.
#[inline(always)]
unsafe fn spread<S: Simd>(job: &PixelJob<'_>) {
    let mut to = job.scratch;
    for row in 0..job.input_rows {
        for block in 0..blocks(S::LANES, job.columns) {
            // A block behind the last pixel would be read far beyond the row: the last one's
            // quads stand for it, and their outputs are not stored.
            let first = (block * S::LANES).min((job.columns - 1) / S::LANES * S::LANES);
            for quad in job.quads {
                let at = row * job.pitch + first * job.step + quad;
                // SAFETY: the caller's.
                unsafe {
                    S::store(to, S::strided_quads(job.input.add(at), job.step));
                    to = to.add(S::LANES);
                }
            }
        }
    }
}

/// All tiles of `CHANNELS` channels from `first` on.
///
/// # Safety
/// As `run`.
#[inline(always)]
unsafe fn tiles<S: Simd, const CHANNELS: usize>(
    job: &PixelJob<'_>,
    first: usize,
    weights: *const u8,
) {
    for row in (0..job.rows).step_by(2) {
        for column in (0..job.columns).step_by(2 * S::LANES) {
            // SAFETY: the caller's.
            unsafe {
                let acc = tile::<S, CHANNELS>(job, first, weights, row, column);
                match job.output {
                    Output::Accumulators { to, step } => {
                        store_accumulators::<S, CHANNELS>(job, to, step, acc, [row, column, first]);
                    }
                    Output::Codes {
                        to,
                        step,
                        requantizer,
                        pooled,
                    } => {
                        let place = Place {
                            to,
                            step,
                            requantizer,
                            first,
                        };
                        if pooled {
                            let mut codes = [S::splat(0); CHANNELS];
                            for (codes, [above, below]) in codes.iter_mut().zip(acc) {
                                *codes = S::max_of_pairs(
                                    S::max(above[0], below[0]),
                                    S::max(above[1], below[1]),
                                );
                            }
                            let count = (job.columns - column).min(2 * S::LANES) / 2;
                            place.store::<S, CHANNELS>(codes, [row / 2, column / 2], count);
                        } else {
                            for below in 0..(job.rows - row).min(2) {
                                for block in 0..2 {
                                    let column = column + block * S::LANES;
                                    if column < job.columns {
                                        let count = (job.columns - column).min(S::LANES);
                                        let mut codes = [S::splat(0); CHANNELS];
                                        for (codes, acc) in codes.iter_mut().zip(acc) {
                                            *codes = acc[below][block];
                                        }
                                        let at = [row + below, column];
                                        place.store::<S, CHANNELS>(codes, at, count);
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// `[channel][row][block]`.
type Tile<S, const CHANNELS: usize> = [[[<S as Simd>::V; 2]; 2]; CHANNELS];

/// The accumulators of a tile.
///
/// # Safety
/// As `run`.
#[inline(always)]
unsafe fn tile<S: Simd, const CHANNELS: usize>(
    job: &PixelJob<'_>,
    first: usize,
    mut weights: *const u8,
    row: usize,
    column: usize,
) -> Tile<S, CHANNELS> {
    let quads = job.quads.len();
    let pitch = blocks(S::LANES, job.columns) * quads * S::LANES;
    // The last row of an odd number stands for the one below it, which is not stored.
    let below = (row + 1).min(job.rows - 1);
    // SAFETY: the caller's.
    unsafe {
        let mut acc: Tile<S, CHANNELS> = [[[S::splat(0); 2]; 2]; CHANNELS];
        for (c, acc) in acc.iter_mut().enumerate() {
            *acc = [[S::splat(*job.bias.get_unchecked(first + c)); 2]; 2];
        }
        let block = column / S::LANES * quads * S::LANES;
        let mut rows = [row, below].map(|row| {
            job.scratch
                .cast_const()
                .add(row * job.stride * pitch + block)
        });
        for _ in 0..job.kernel_rows {
            for quad in 0..quads {
                let mut a = [[S::Bytes::activations(S::load(rows[0])); 2]; 2];
                for row in 0..2 {
                    for block in 0..2 {
                        let at = rows[row].add((block * quads + quad) * S::LANES);
                        a[row][block] = S::Bytes::activations(S::load(at));
                    }
                }
                for acc in &mut acc {
                    let w = S::Bytes::broadcast_weights(weights);
                    weights = weights.add(4);
                    for row in 0..2 {
                        for block in 0..2 {
                            acc[row][block] = S::Bytes::dot(acc[row][block], a[row][block], w);
                        }
                    }
                }
            }
            rows = rows.map(|row| row.add(job.dilation * pitch));
        }
        acc
    }
}

/// Stores a tile as it is.
///
/// # Safety
/// As `run`.
#[inline(always)]
unsafe fn store_accumulators<S: Simd, const CHANNELS: usize>(
    job: &PixelJob<'_>,
    to: *mut i32,
    step: [usize; 2],
    acc: Tile<S, CHANNELS>,
    [row, column, first]: [usize; 3],
) {
    let mut lanes = [0i32; 16];
    for (channel, acc) in acc.into_iter().enumerate() {
        for below in 0..(job.rows - row).min(2) {
            for block in 0..2 {
                let column = column + block * S::LANES;
                let count = job.columns.saturating_sub(column).min(S::LANES);
                // SAFETY: the caller's; `lanes` holds the widest vector.
                unsafe {
                    S::store(lanes.as_mut_ptr(), acc[below][block]);
                    for (lane, &acc) in lanes[..count].iter().enumerate() {
                        let at = (row + below) * step[0] + (column + lane) * step[1];
                        to.add(at + first + channel).write(acc);
                    }
                }
            }
        }
    }
}

/// Where codes go.
#[derive(Clone, Copy)]
struct Place<'a> {
    to: *mut u8,
    step: [usize; 2],
    requantizer: &'a Requantizer,
    first: usize,
}

impl Place<'_> {
    /// Requantizes `count` pixels of every channel and stores them pixel by pixel: four
    /// channels are put in a lane and stored at once.
    ///
    /// # Safety
    /// As `run`.
    #[inline(always)]
    unsafe fn store<S: Simd, const CHANNELS: usize>(
        &self,
        acc: [S::V; CHANNELS],
        [row, column]: [usize; 2],
        count: usize,
    ) {
        let Self {
            requantizer, first, ..
        } = *self;
        // SAFETY: the caller's; `pixels` holds the widest vector.
        unsafe {
            let low = S::splat_f32(requantizer.low);
            let high = S::splat_f32(requantizer.high);
            let base = S::splat(requantizer.base);
            let mut codes = acc;
            for (channel, codes) in codes.iter_mut().enumerate() {
                let at = first + channel;
                let multiplier = S::splat_f32(*requantizer.multipliers.get_unchecked(at));
                let offset = S::splat_f32(*requantizer.offsets.get_unchecked(at));
                *codes = S::requantize(*codes, multiplier, offset, low, high, base);
            }
            let to = (self.to).add(row * self.step[0] + column * self.step[1] + first);
            let mut pixels = [0u32; 16];
            // From the last quad of channels to the first: a whole quad is stored where fewer
            // channels are left, over the next pixel's first, which come after.
            for quad in (0..CHANNELS.div_ceil(4)).rev() {
                let channels = (CHANNELS - 4 * quad).min(4);
                let mut v = codes[4 * quad];
                if channels > 1 {
                    v = S::or_shifted::<8>(v, codes[(4 * quad + 1).min(CHANNELS - 1)]);
                }
                if channels > 2 {
                    v = S::or_shifted::<16>(v, codes[(4 * quad + 2).min(CHANNELS - 1)]);
                }
                if channels > 3 {
                    v = S::or_shifted::<24>(v, codes[(4 * quad + 3).min(CHANNELS - 1)]);
                }
                S::store(pixels.as_mut_ptr().cast(), v);
                let to = to.add(4 * quad);
                let whole = match channels {
                    4 => count,
                    // Other channels of the pixel, or what is behind the last, must stay.
                    _ if CHANNELS == self.step[1] && quad > 0 => count - 1,
                    _ => 0,
                };
                for (pixel, &codes) in pixels[..whole].iter().enumerate() {
                    to.add(pixel * self.step[1])
                        .cast::<u32>()
                        .write_unaligned(codes);
                }
                for (pixel, &codes) in pixels[..count].iter().enumerate().skip(whole) {
                    let bytes = codes.to_le_bytes();
                    to.add(pixel * self.step[1])
                        .copy_from_nonoverlapping(bytes.as_ptr(), channels);
                }
            }
        }
    }
}
