//! What an algorithm needs of an instruction set.
//!
//! The algorithms in [`crate::algorithms`] are written once over these traits; a folder
//! for each instruction set says in a few lines each how it does them. Every unsafe function
//! is `#[inline(always)]`, so that the whole algorithm is compiled inside of the entry point
//! that has the target features (see [`crate::entry`]).

use crate::requantizer::Scaling;

/// Vectors of int32 lanes.
///
/// # Safety
/// All functions: the CPU has the instruction set; pointers are valid for what is named.
pub(crate) trait Simd: Copy {
    /// Lanes of a vector.
    const LANES: usize;
    /// The most pixels of a tile that is 1, 2 or 4 vectors of channels wide: as many
    /// accumulators as registers allow; 0 where the width does not pay.
    const TILE_PIXELS: [usize; 3];
    /// The most channels of a tile of 2 rows and 2 vectors of pixels.
    const PIXEL_TILE_CHANNELS: usize;
    /// The periods of a tile of a depthwise convolution: 1 or 2.
    const DEPTHWISE_PERIODS: usize;
    /// int32 lanes.
    type V: Copy;
    /// float32 lanes.
    type F: Copy;
    /// Quads of bytes: u8 times s8.
    type Bytes: Product<Self>;
    /// Pairs of words: s16 times s16.
    type Words: Product<Self>;

    /// `LANES` int32.
    unsafe fn load(from: *const i32) -> Self::V;
    /// `LANES` int32.
    unsafe fn store(to: *mut i32, v: Self::V);
    /// The same in every lane.
    unsafe fn splat(value: i32) -> Self::V;
    /// The same four bytes in every lane.
    #[inline(always)]
    unsafe fn quad(from: *const u8) -> Self::V {
        // SAFETY: the caller's.
        unsafe { Self::splat(from.cast::<i32>().read_unaligned()) }
    }
    /// `LANES` float32.
    unsafe fn load_f32(from: *const f32) -> Self::F;
    /// The same in every lane.
    unsafe fn splat_f32(value: f32) -> Self::F;
    /// The larger, lane by lane.
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V;
    /// The larger of neighbouring lanes: `max(a₀, a₁), max(a₂, a₃), …, max(b₀, b₁), …`.
    unsafe fn max_of_pairs(a: Self::V, b: Self::V) -> Self::V;
    /// `a | b << shift`, lane by lane.
    unsafe fn or_shifted<const SHIFT: i32>(a: Self::V, b: Self::V) -> Self::V;
    /// `int(clamp(f32(acc)·multiplier + offset, low, high)) + base`, or divided by it: quotient or
    /// product, and sum, each rounded to float32, the integer to the nearest, ties to even.
    unsafe fn requantize(
        scaling: Scaling,
        acc: Self::V,
        multiplier: Self::F,
        offset: Self::F,
        low: Self::F,
        high: Self::F,
        base: Self::V,
    ) -> Self::V;
    /// The low byte of the first `count` lanes, 1 to `LANES`.
    unsafe fn store_bytes(to: *mut u8, v: Self::V, count: usize);
    /// Four results of four bytes a lane: those of lane `i` of result `j` are from
    /// `from + i · step + 4 · j` on; `step` is 1 to 4. May read [`SLACK`] bytes from the first on.
    ///
    /// [`SLACK`]: crate::layout::SLACK
    unsafe fn strided_quads(from: *const u8, step: usize) -> [Self::V; 4];
    /// The first `channels` bytes, 5 to 8, of each lane of `low` and then `high`, two lanes in 16
    /// bytes: lanes `2k` and `2k + 1` at `(k mod 2) · 4 · LANES + (k div 2) · 16`. Writes all of
    /// `8 · LANES` bytes.
    unsafe fn store_pairs(to: *mut u8, low: Self::V, high: Self::V, channels: usize);
    /// The bytes of four rows side by side: lane `i` of result `j` is
    /// `r₀[c] | r₁[c] << 8 | r₂[c] << 16 | r₃[c] << 24` with `c = interleaved(j, i)`. Reads
    /// `4 · LANES` bytes of each row.
    unsafe fn interleave(rows: [*const u8; 4]) -> [Self::V; 4];
    /// The channel that [`Self::interleave`] puts in a lane of a result.
    fn interleaved(result: usize, lane: usize) -> usize;
    /// `int(f32(acc)·multiplier + offset)` as [`Self::requantize`] rounds, not clamped; below
    /// 2³⁰ in size.
    unsafe fn round(
        scaling: Scaling,
        acc: Self::V,
        multiplier: Self::F,
        offset: Self::F,
    ) -> Self::V;
    /// `clamp(v + base, low, high)` of four vectors, 0 ≤ low ≤ high ≤ 255, in the order of
    /// channels, undoing [`Self::interleave`]: `4 · LANES` bytes, of which the first `count` are
    /// written.
    unsafe fn store_interleaved(
        to: *mut u8,
        v: [Self::V; 4],
        base: i16,
        clamp: [u8; 2],
        count: usize,
    );
}

/// A dot product of the four bytes, or two words, of each lane.
///
/// # Safety
/// As [`Simd`].
pub(crate) trait Product<S: Simd> {
    /// What is taken from an activation before it is multiplied: `dot` sums `(a − SHIFT)·w`.
    const SHIFT: i32;
    /// Activations, ready to be multiplied.
    type A: Copy;
    /// Weights, ready to be multiplied.
    type W: Copy;

    /// Four bytes of activations a lane.
    unsafe fn activations(v: S::V) -> Self::A;
    /// Four bytes of weights a lane.
    unsafe fn weights(v: S::V) -> Self::W;
    /// `acc + Σ (a − SHIFT)·w` over each lane, exactly, modulo 2³².
    unsafe fn dot(acc: S::V, a: Self::A, w: Self::W) -> S::V;
}

/// Bytes `step·p` to `step·p + 3` of 16, for `PIXELS[step - 1]`, for its pixel `p`.
pub(crate) const PIXELS: [[u8; 16]; 4] = {
    let mut all = [[0; 16]; 4];
    let mut step = 0;
    while step < 4 {
        let mut i = 0;
        while i < 16 {
            all[step][i] = ((step + 1) * (i / 4) + i % 4) as u8;
            i += 1;
        }
        step += 1;
    }
    all
};

/// The first `channels` bytes of each half of 16, side by side, for `PAIRS[channels - 5]`.
pub(crate) const PAIRS: [[u8; 16]; 4] = {
    // A place of 0x80 gives 0.
    let mut all = [[0x80; 16]; 4];
    let mut channels = 5;
    while channels <= 8 {
        let mut i = 0;
        while i < channels {
            all[channels - 5][i] = i as u8;
            all[channels - 5][channels + i] = 8 + i as u8;
            i += 1;
        }
        channels += 1;
    }
    all
};
