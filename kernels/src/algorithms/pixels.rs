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
//! quads of every row, made once an image, a plane for each quad and each phase:
//!   [quad][row mod phases][row div phases][output column] → 4 bytes
//! weights: [tile of channels][kernel row][quad][channel of the tile] → 4 bytes
//! ```
//! A tile is two rows of outputs above each other, two vectors of pixels and a few channels, so
//! that a max-pool of 2 × 2 takes place in registers. Every weight is broadcast and used four
//! times. Pairs of rows are made one after the other, so the rows of a plane are those that an
//! output row and the second one below it read at the same tap (`phases` is twice the stride):
//! they follow each other without a gap, the pixels of all pairs are one long run, and vectors
//! are full though rows are no multiple of them.

#![allow(
    clippy::needless_range_loop,
    reason = "tiles are indexed as they are drawn"
)]

use crate::requantizer::Requantizer;
use crate::simd::{Product, Simd};

use super::channels::Output;

/// One image.
pub(crate) struct PixelJob<'a> {
    /// The first byte of the first window.
    pub(crate) input: *const u8,
    /// Bytes from a row of the image to the next.
    pub(crate) pitch: usize,
    /// Rows of outputs.
    pub(crate) rows: usize,
    /// Outputs in a row.
    pub(crate) columns: usize,
    /// Bytes from a window to the next: 1 to 4.
    pub(crate) step: usize,
    /// Where quads lie.
    pub(crate) planes: Planes,
    /// For each kernel row and quad, from a pixel of the upper row: where it finds its bytes,
    /// and where the pixel below does. Int32 of the scratch.
    pub(crate) taps: &'a [[usize; 2]],
    /// Packed for this instruction set.
    pub(crate) weights: &'a [u8],
    /// One a channel.
    pub(crate) bias: &'a [i32],
    /// Output channels.
    pub(crate) channels: usize,
    /// Room for the planes: [`Planes::len`] int32.
    pub(crate) scratch: *mut i32,
    /// Where they go.
    pub(crate) output: Output<'a>,
}

/// The quads of an image in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planes {
    /// Quads of a window's row.
    pub(crate) quads: usize,
    /// Twice the stride.
    phases: usize,
    /// Rows of the image that are read.
    input_rows: usize,
    /// Pixels of a row.
    columns: usize,
    /// Int32 of a plane: its rows, and whole tiles of pixels behind them.
    plane: usize,
}

impl Planes {
    /// For `rows` rows of `columns` outputs.
    pub(crate) fn new(
        lanes: usize,
        [rows, columns]: [usize; 2],
        quads: usize,
        [stride, dilation, kernel_rows]: [usize; 3],
    ) -> Self {
        let phases = 2 * stride;
        let input_rows = stride * (rows - 1) + dilation * (kernel_rows - 1) + 1;
        let plane_rows = (rows.div_ceil(2) * phases + dilation * (kernel_rows - 1)) / phases + 1;
        Self {
            quads,
            phases,
            input_rows,
            columns,
            plane: plane_rows * columns + 2 * lanes,
        }
    }

    /// Int32 of all planes.
    pub(crate) fn len(&self) -> usize {
        self.quads * self.phases * self.plane
    }

    /// Where a row's quads lie.
    fn at(&self, row: usize, quad: usize) -> usize {
        (quad * self.phases + row % self.phases) * self.plane + row / self.phases * self.columns
    }

    /// See [`PixelJob::taps`].
    pub(crate) fn taps(&self, kernel_rows: usize, dilation: usize) -> Vec<[usize; 2]> {
        let stride = self.phases / 2;
        (0..kernel_rows)
            .flat_map(|ky| (0..self.quads).map(move |quad| (ky * dilation, quad)))
            .map(|(row, quad)| [self.at(row, quad), self.at(row + stride, quad)])
            .collect()
    }
}

/// Runs a job.
///
/// # Safety
/// The CPU has the instruction set; the rows, `SLACK` bytes behind the last included, and the
/// outputs are valid memory; the planes are of these rows, columns and lanes, and the scratch
/// as long; taps are those of the planes, weights, biases and constants as long as the channels
/// need.
#[inline(always)]
pub(crate) unsafe fn run<S: Simd>(job: &PixelJob<'_>) {
    const {
        assert!(S::PIXEL_TILE_CHANNELS >= 1 && S::PIXEL_TILE_CHANNELS <= 6);
    }
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
            weights = weights.add(4 * count * job.taps.len());
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
    // A vector may reach into the next row of its plane, which comes after; the last row's
    // reaches behind it.
    let apart = job.planes.at(0, 1);
    for row in 0..job.planes.input_rows {
        let to = job.planes.at(row, 0);
        for column in (0..job.columns).step_by(S::LANES) {
            for first in (0..job.planes.quads).step_by(4) {
                let from = row * job.pitch + column * job.step + 4 * first;
                // SAFETY: the caller's.
                unsafe {
                    let quads = S::strided_quads(job.input.add(from), job.step);
                    for (quad, v) in quads.into_iter().enumerate() {
                        if first + quad < job.planes.quads {
                            let to = to + (first + quad) * apart + column;
                            S::store(job.scratch.add(to), v);
                        }
                    }
                }
            }
        }
    }
}

/// All tiles of `CHANNELS` channels from `first` on.
///
/// # Safety
/// As `run`; the job has these channels, whose weights start there, and the quads are made.
#[inline(always)]
unsafe fn tiles<S: Simd, const CHANNELS: usize>(
    job: &PixelJob<'_>,
    first: usize,
    weights: *const u8,
) {
    // Pixels of the upper rows.
    let pixels = job.rows.div_ceil(2) * job.columns;
    for pixel in (0..pixels).step_by(2 * S::LANES) {
        let count = (pixels - pixel).min(2 * S::LANES);
        // SAFETY: the caller's.
        unsafe {
            let acc = tile::<S, CHANNELS>(job, first, weights, pixel);
            match job.output {
                Output::Accumulators { to, step } => {
                    store_accumulators::<S, CHANNELS>(job, to, step, acc, first, [pixel, count]);
                }
                Output::Codes {
                    to,
                    step,
                    requantizer,
                    pooled,
                    ..
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
                        let cursor = Cursor::pooled(job, pixel);
                        place.store::<S, CHANNELS>(codes, cursor, count / 2);
                    } else {
                        for below in 0..2 {
                            for block in 0..2 {
                                let from = pixel + block * S::LANES;
                                let cursor = Cursor::unpooled(job, from, below);
                                let count = count.saturating_sub(block * S::LANES).min(S::LANES);
                                let count = cursor.count(job, count);
                                let mut codes = [S::splat(0); CHANNELS];
                                for (codes, acc) in codes.iter_mut().zip(acc) {
                                    *codes = acc[below][block];
                                }
                                place.store::<S, CHANNELS>(codes, cursor, count);
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

/// Where the pixels of a vector go: from a column of a row on, and then on the rows that follow
/// `row_step` apart.
#[derive(Clone, Copy)]
struct Cursor {
    row: usize,
    column: usize,
    columns: usize,
    row_step: usize,
}

impl Cursor {
    /// From a pixel of the upper rows on, or from the one below it.
    #[inline(always)]
    fn unpooled(job: &PixelJob<'_>, pixel: usize, below: usize) -> Self {
        Self {
            row: 2 * (pixel / job.columns) + below,
            column: pixel % job.columns,
            columns: job.columns,
            row_step: 2,
        }
    }

    /// From the pixel on that is the largest of four.
    #[inline(always)]
    fn pooled(job: &PixelJob<'_>, pixel: usize) -> Self {
        Self {
            row: pixel / job.columns,
            column: pixel % job.columns / 2,
            columns: job.columns / 2,
            row_step: 1,
        }
    }

    /// Of `count` pixels, those that lie on the job's rows: the last pair may lack its lower.
    #[inline(always)]
    fn count(&self, job: &PixelJob<'_>, count: usize) -> usize {
        let rows = job.rows.saturating_sub(self.row).div_ceil(2);
        count.min((rows * self.columns).saturating_sub(self.column))
    }

    /// Calls `of` with the place of each of `count` pixels, `step` apart.
    #[inline(always)]
    fn each(self, count: usize, step: [usize; 2], mut of: impl FnMut(usize, usize)) {
        let mut column = self.column;
        let mut at = self.row * step[0] + column * step[1];
        for pixel in 0..count {
            of(pixel, at);
            column += 1;
            at += step[1];
            if column == self.columns {
                column = 0;
                at += self.row_step * step[0] - self.columns * step[1];
            }
        }
    }
}

/// The accumulators of a tile, its upper row from `pixel` on.
///
/// # Safety
/// As `tiles`; the pixel is one of the upper rows.
#[inline(always)]
unsafe fn tile<S: Simd, const CHANNELS: usize>(
    job: &PixelJob<'_>,
    first: usize,
    mut weights: *const u8,
    pixel: usize,
) -> Tile<S, CHANNELS> {
    // SAFETY: the caller's.
    unsafe {
        let mut acc: Tile<S, CHANNELS> = [[[S::splat(0); 2]; 2]; CHANNELS];
        for (c, acc) in acc.iter_mut().enumerate() {
            *acc = [[S::splat(*job.bias.get_unchecked(first + c)); 2]; 2];
        }
        let pixels = job.scratch.cast_const().add(pixel);
        for tap in job.taps {
            let mut a = [[S::Bytes::activations(S::load(pixels.add(tap[0]))); 2]; 2];
            for row in 0..2 {
                for block in 0..2 {
                    let at = pixels.add(tap[row] + block * S::LANES);
                    a[row][block] = S::Bytes::activations(S::load(at));
                }
            }
            for acc in &mut acc {
                let w = S::Bytes::weights(S::quad(weights));
                weights = weights.add(4);
                for row in 0..2 {
                    for block in 0..2 {
                        acc[row][block] = S::Bytes::dot(acc[row][block], a[row][block], w);
                    }
                }
            }
        }
        acc
    }
}

/// Stores `count` pixels of a tile's upper row, and those below them, as they are.
///
/// # Safety
/// As `tile`; so many of the upper rows are left.
#[inline(always)]
unsafe fn store_accumulators<S: Simd, const CHANNELS: usize>(
    job: &PixelJob<'_>,
    to: *mut i32,
    step: [usize; 2],
    acc: Tile<S, CHANNELS>,
    first: usize,
    [pixel, count]: [usize; 2],
) {
    let mut lanes = [0i32; 16];
    for (channel, acc) in acc.into_iter().enumerate() {
        for below in 0..2 {
            for block in 0..2 {
                let cursor = Cursor::unpooled(job, pixel + block * S::LANES, below);
                let count = cursor.count(job, count.saturating_sub(block * S::LANES).min(S::LANES));
                // SAFETY: the caller's; `lanes` holds the widest vector.
                unsafe {
                    S::store(lanes.as_mut_ptr(), acc[below][block]);
                    cursor.each(count, step, |lane, at| {
                        to.add(at + first + channel).write(lanes[lane]);
                    });
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
    /// The CPU has the instruction set; so many outputs from the cursor on are valid memory, and
    /// there are constants of the channels; `count` is at most `LANES`.
    #[inline(always)]
    unsafe fn store<S: Simd, const CHANNELS: usize>(
        &self,
        acc: [S::V; CHANNELS],
        cursor: Cursor,
        count: usize,
    ) {
        if count == 0 {
            return;
        }
        let Self {
            requantizer,
            first,
            step,
            ..
        } = *self;
        // SAFETY: the caller's; `pairs` holds the widest vectors.
        unsafe {
            let low = S::splat_f32(requantizer.low);
            let high = S::splat_f32(requantizer.high);
            let base = S::splat(requantizer.base);
            let mut codes = acc;
            for (channel, codes) in codes.iter_mut().enumerate() {
                let at = first + channel;
                let multiplier = S::splat_f32(*requantizer.multipliers.get_unchecked(at));
                let offset = S::splat_f32(*requantizer.offsets.get_unchecked(at));
                *codes = S::requantize(
                    requantizer.scaling,
                    *codes,
                    multiplier,
                    offset,
                    low,
                    high,
                    base,
                );
            }
            let to = self.to.add(first);
            let low = quad::<S, CHANNELS, 0>(&codes);
            if CHANNELS <= 4 {
                put::<S>(to, low, CHANNELS, cursor, count, step);
                return;
            }
            let high = quad::<S, CHANNELS, 4>(&codes);
            let one_run = CHANNELS == step[1]
                && (cursor.column + count <= cursor.columns
                    || cursor.row_step * step[0] == cursor.columns * step[1]);
            if !one_run || count % 2 == 1 {
                put::<S>(to, low, 4, cursor, count, step);
                put::<S>(to.add(4), high, CHANNELS - 4, cursor, count, step);
                return;
            }
            // Two pixels at once, as 16 bytes: what is too much is under the next two, but for
            // the last.
            let mut pairs = [0u8; 128];
            S::store_pairs(pairs.as_mut_ptr(), low, high, CHANNELS);
            let to = to.add(cursor.row * step[0] + cursor.column * step[1]);
            for pair in 0..count / 2 {
                let from = pairs.as_ptr().add(pair % 2 * 4 * S::LANES + pair / 2 * 16);
                let to = to.add(pair * 2 * CHANNELS);
                match pair + 1 < count / 2 {
                    true => to.copy_from_nonoverlapping(from, 16),
                    false => to.copy_from_nonoverlapping(from, 2 * CHANNELS),
                }
            }
        }
    }
}

/// Codes `FIRST` to `FIRST + 3`, as far as there are, in the bytes of each lane.
///
/// # Safety
/// The CPU has the instruction set.
#[inline(always)]
unsafe fn quad<S: Simd, const CHANNELS: usize, const FIRST: usize>(
    codes: &[S::V; CHANNELS],
) -> S::V {
    // SAFETY: the caller's.
    unsafe {
        let mut v = codes[FIRST % CHANNELS];
        if FIRST + 1 < CHANNELS {
            v = S::or_shifted::<8>(v, codes[(FIRST + 1) % CHANNELS]);
        }
        if FIRST + 2 < CHANNELS {
            v = S::or_shifted::<16>(v, codes[(FIRST + 2) % CHANNELS]);
        }
        if FIRST + 3 < CHANNELS {
            v = S::or_shifted::<24>(v, codes[(FIRST + 3) % CHANNELS]);
        }
        v
    }
}

/// Stores the first `channels` bytes of `count` lanes, pixel by pixel.
///
/// # Safety
/// The CPU has the instruction set; so many outputs from the cursor on are valid memory, of as
/// many channels, 4 at most.
#[inline(always)]
unsafe fn put<S: Simd>(
    to: *mut u8,
    v: S::V,
    channels: usize,
    cursor: Cursor,
    count: usize,
    step: [usize; 2],
) {
    let mut pixels = [0u32; 16];
    // SAFETY: the caller's; `pixels` holds the widest vector.
    unsafe {
        S::store(pixels.as_mut_ptr().cast(), v);
        cursor.each(count, step, |pixel, at| {
            let bytes = pixels[pixel].to_le_bytes();
            to.add(at)
                .copy_from_nonoverlapping(bytes.as_ptr(), channels);
        });
    }
}
