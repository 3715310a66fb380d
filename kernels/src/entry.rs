//! Where an algorithm meets an instruction set.

use crate::Isa;
use crate::algorithms::Simple;
use crate::algorithms::channels::ChannelJob;
use crate::algorithms::depthwise::DepthwiseJob;
use crate::algorithms::pixels::PixelJob;
use crate::requantizer::Requantizer;

/// The algorithms as one instruction set runs them; holding it proves that the CPU has it.
///
/// # Safety
/// Each: the job's pointers are valid for what the job says that it reads and writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    /// The instruction set.
    pub(crate) isa: Isa,
    /// Lanes of a vector.
    pub(crate) lanes: usize,
    /// See [`Simd::TILE_PIXELS`](crate::simd::Simd::TILE_PIXELS).
    pub(crate) tile_pixels: [usize; 3],
    /// See [`Simd::PIXEL_TILE_CHANNELS`](crate::simd::Simd::PIXEL_TILE_CHANNELS).
    pub(crate) pixel_tile_channels: usize,
    /// See [`Product::SHIFT`](crate::simd::Product::SHIFT), of bytes.
    pub(crate) shift: i32,
    /// See [`Simd::interleaved`](crate::simd::Simd::interleaved).
    pub(crate) interleaved: fn(usize, usize) -> usize,
    /// u8 · s8, output channels in the lanes.
    pub(crate) channels_of_bytes: unsafe fn(&ChannelJob<'_>),
    /// s16 · s16, output channels in the lanes.
    pub(crate) channels_of_words: unsafe fn(&ChannelJob<'_>),
    /// u8 · s8, pixels of a row in the lanes.
    pub(crate) pixels: unsafe fn(&PixelJob<'_>),
    /// u8 · s8, a channel by itself.
    pub(crate) depthwise: unsafe fn(&DepthwiseJob<'_>),
    /// Accumulators to codes.
    pub(crate) requantize: unsafe fn(&Requantizer, &[i32], &mut [u8]),
    /// Loops that compilers make vectors of.
    pub(crate) simple: unsafe fn(Simple<'_>),
    /// Dot products alone.
    pub(crate) peak: unsafe fn(usize) -> i32,
}

impl Table {
    /// Runs a job, whose slices are checked.
    pub(crate) fn simple(&self, job: Simple<'_>) {
        // SAFETY: the table is this CPU's, and a job has no pointers.
        unsafe { (self.simple)(job) }
    }
}

/// Compiles every algorithm of an instruction set for its vectors and target features.
macro_rules! entry_points {
    ($isa:ident, $simd:ty, $(#[$feature:meta])?) => {
        use crate::algorithms::{self, channels, depthwise, pixels};
        use crate::simd::{Product, Simd};

        $(#[$feature])?
        unsafe fn channels_of_bytes(job: &channels::ChannelJob<'_>) {
            // SAFETY: the caller's.
            unsafe { channels::run::<$simd, <$simd as Simd>::Bytes>(job) }
        }

        $(#[$feature])?
        unsafe fn channels_of_words(job: &channels::ChannelJob<'_>) {
            // SAFETY: the caller's.
            unsafe { channels::run::<$simd, <$simd as Simd>::Words>(job) }
        }

        $(#[$feature])?
        unsafe fn run_pixels(job: &pixels::PixelJob<'_>) {
            // SAFETY: the caller's.
            unsafe { pixels::run::<$simd>(job) }
        }

        $(#[$feature])?
        unsafe fn run_depthwise(job: &depthwise::DepthwiseJob<'_>) {
            // SAFETY: the caller's.
            unsafe { depthwise::run::<$simd>(job) }
        }

        $(#[$feature])?
        unsafe fn run_requantize(
            requantizer: &crate::requantizer::Requantizer,
            acc: &[i32],
            codes: &mut [u8],
        ) {
            // SAFETY: the caller's.
            unsafe { algorithms::requantize::run::<$simd>(requantizer, acc, codes) }
        }

        $(#[$feature])?
        unsafe fn run_simple(of: algorithms::Simple<'_>) {
            of.run();
        }

        $(#[$feature])?
        unsafe fn run_peak(rounds: usize) -> i32 {
            // SAFETY: the caller's.
            unsafe { algorithms::peak::run::<$simd>(rounds) }
        }

        /// What this instruction set offers.
        ///
        /// # Safety
        /// The CPU has it.
        pub(crate) unsafe fn table() -> crate::entry::Table {
            crate::entry::Table {
                isa: crate::Isa::$isa,
                lanes: <$simd as Simd>::LANES,
                tile_pixels: <$simd as Simd>::TILE_PIXELS,
                pixel_tile_channels: <$simd as Simd>::PIXEL_TILE_CHANNELS,
                shift: <<$simd as Simd>::Bytes as Product<$simd>>::SHIFT,
                interleaved: <$simd as Simd>::interleaved,
                channels_of_bytes,
                channels_of_words,
                pixels: run_pixels,
                depthwise: run_depthwise,
                requantize: run_requantize,
                simple: run_simple,
                peak: run_peak,
            }
        }
    };
}
pub(crate) use entry_points;
