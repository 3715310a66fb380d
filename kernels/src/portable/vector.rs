//! Eight int32 lanes in an array.

use super::bytes::Bytes;
use super::words::Words;
use crate::requantizer::Scaling;
use crate::simd::Simd;

const LANES: usize = 8;

#[derive(Clone, Copy, Debug)]
pub(super) struct Portable;

/// Each lane of two vectors.
#[inline(always)]
fn zip<A: Copy, B: Copy, C>(a: [A; LANES], b: [B; LANES], of: impl Fn(A, B) -> C) -> [C; LANES] {
    std::array::from_fn(|lane| of(a[lane], b[lane]))
}

#[allow(
    clippy::undocumented_unsafe_blocks,
    reason = "one for all: the trait's contract gives the pointers"
)]
impl Simd for Portable {
    const LANES: usize = LANES;
    const TILE_PIXELS: [usize; 3] = [4, 0, 0];
    const PIXEL_TILE_CHANNELS: usize = 1;
    const DEPTHWISE_PERIODS: usize = 1;
    type V = [i32; LANES];
    type F = [f32; LANES];
    type Bytes = Bytes;
    type Words = Words;

    #[inline(always)]
    unsafe fn load(from: *const i32) -> Self::V {
        unsafe { from.cast::<Self::V>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn store(to: *mut i32, v: Self::V) {
        unsafe { to.cast::<Self::V>().write_unaligned(v) }
    }

    #[inline(always)]
    unsafe fn splat(value: i32) -> Self::V {
        [value; LANES]
    }

    #[inline(always)]
    unsafe fn load_f32(from: *const f32) -> Self::F {
        unsafe { from.cast::<Self::F>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn splat_f32(value: f32) -> Self::F {
        [value; LANES]
    }

    #[inline(always)]
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
        zip(a, b, i32::max)
    }

    #[inline(always)]
    unsafe fn max_of_pairs(a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|lane| {
            let from = if lane < LANES / 2 { &a } else { &b };
            let first = 2 * (lane % (LANES / 2));
            from[first].max(from[first + 1])
        })
    }

    #[inline(always)]
    unsafe fn or_shifted<const SHIFT: i32>(a: Self::V, b: Self::V) -> Self::V {
        zip(a, b, |a, b| a | b << SHIFT)
    }

    #[inline(always)]
    unsafe fn requantize(
        scaling: Scaling,
        acc: Self::V,
        multiplier: Self::F,
        offset: Self::F,
        low: Self::F,
        high: Self::F,
        base: Self::V,
    ) -> Self::V {
        std::array::from_fn(|lane| {
            crate::requantizer::code(
                scaling,
                acc[lane],
                multiplier[lane],
                offset[lane],
                low[lane],
                high[lane],
            ) + base[lane]
        })
    }

    #[inline(always)]
    unsafe fn store_bytes(to: *mut u8, v: Self::V, count: usize) {
        for (lane, value) in v.into_iter().enumerate().take(count) {
            unsafe { to.add(lane).write(value as u8) }
        }
    }

    #[inline(always)]
    unsafe fn strided_quads(from: *const u8, step: usize) -> [Self::V; 4] {
        std::array::from_fn(|quad| {
            std::array::from_fn(|lane| unsafe {
                from.add(lane * step + 4 * quad)
                    .cast::<i32>()
                    .read_unaligned()
            })
        })
    }

    #[inline(always)]
    unsafe fn store_pairs(to: *mut u8, low: Self::V, high: Self::V, channels: usize) {
        for lane in 0..LANES {
            let pair = lane / 2;
            let at = pair % 2 * 4 * LANES + pair / 2 * 16 + lane % 2 * channels;
            let bytes = u64::from(low[lane] as u32) | u64::from(high[lane] as u32) << 32;
            for (place, byte) in bytes.to_le_bytes().into_iter().enumerate().take(channels) {
                unsafe { to.add(at + place).write(byte) }
            }
        }
    }

    #[inline(always)]
    unsafe fn interleave(rows: [*const u8; 4]) -> [Self::V; 4] {
        std::array::from_fn(|result| {
            std::array::from_fn(|lane| {
                let at = Self::interleaved(result, lane);
                i32::from_le_bytes(rows.map(|row| unsafe { row.add(at).read() }))
            })
        })
    }

    fn interleaved(result: usize, lane: usize) -> usize {
        LANES * result + lane
    }

    #[inline(always)]
    unsafe fn round(
        scaling: Scaling,
        acc: Self::V,
        multiplier: Self::F,
        offset: Self::F,
    ) -> Self::V {
        std::array::from_fn(|lane| {
            crate::requantizer::round(scaling, acc[lane], multiplier[lane], offset[lane])
        })
    }

    #[inline(always)]
    unsafe fn store_interleaved(
        to: *mut u8,
        v: [Self::V; 4],
        base: i16,
        [low, high]: [u8; 2],
        count: usize,
    ) {
        for (at, value) in v.into_iter().flatten().enumerate().take(count) {
            let code = (value + i32::from(base)).clamp(i32::from(low), i32::from(high));
            unsafe { to.add(at).write(code as u8) }
        }
    }
}
