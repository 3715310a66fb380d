//! Four int32 lanes.

use std::arch::aarch64::*;
use std::marker::PhantomData;

use super::bytes::Bytes;
use super::words::Words;
use crate::requantizer::Scaling;
use crate::simd::{PAIRS, PIXELS, Product, Simd};

/// The vectors of every instruction set of 128 bits; `F` says how it multiplies.
#[derive(Clone, Copy, Debug)]
pub(in crate::aarch64) struct Vector128<F>(PhantomData<F>);

/// How an instruction set of 128 bits multiplies, and the tiles that its 32 registers hold.
pub(in crate::aarch64) trait Family: Copy {
    /// See [`Simd::TILE_PIXELS`].
    const TILE_PIXELS: [usize; 3];
    /// See [`Simd::PIXEL_TILE_CHANNELS`].
    const PIXEL_TILE_CHANNELS: usize;
    /// u8 times s8.
    type Bytes: Product<Vector128<Self>>;
    /// s16 times s16.
    type Words: Product<Vector128<Self>>;
}

/// NEON alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Neon;

impl Family for Neon {
    // A product takes four registers of its own.
    const TILE_PIXELS: [usize; 3] = [16, 8, 4];
    const PIXEL_TILE_CHANNELS: usize = 4;
    type Bytes = Bytes;
    type Words = Words;
}

/// `f32(acc)·by`, or divided by it.
///
/// # Safety
/// The CPU has NEON.
#[inline(always)]
unsafe fn scaled(scaling: Scaling, acc: int32x4_t, by: float32x4_t) -> float32x4_t {
    // SAFETY: the caller's.
    unsafe {
        match scaling {
            Scaling::Multiply => vmulq_f32(vcvtq_f32_s32(acc), by),
            Scaling::Divide => vdivq_f32(vcvtq_f32_s32(acc), by),
        }
    }
}

#[allow(
    clippy::undocumented_unsafe_blocks,
    reason = "one for all: the trait's contract gives the features and the pointers"
)]
impl<F: Family> Simd for Vector128<F> {
    const LANES: usize = 4;
    const TILE_PIXELS: [usize; 3] = F::TILE_PIXELS;
    const PIXEL_TILE_CHANNELS: usize = F::PIXEL_TILE_CHANNELS;
    const DEPTHWISE_PERIODS: usize = 2;
    type V = int32x4_t;
    type F = float32x4_t;
    type Bytes = F::Bytes;
    type Words = F::Words;

    #[inline(always)]
    unsafe fn load(from: *const i32) -> int32x4_t {
        unsafe { vld1q_s32(from) }
    }

    #[inline(always)]
    unsafe fn store(to: *mut i32, v: int32x4_t) {
        unsafe { vst1q_s32(to, v) }
    }

    #[inline(always)]
    unsafe fn splat(value: i32) -> int32x4_t {
        unsafe { vdupq_n_s32(value) }
    }

    #[inline(always)]
    unsafe fn load_f32(from: *const f32) -> float32x4_t {
        unsafe { vld1q_f32(from) }
    }

    #[inline(always)]
    unsafe fn splat_f32(value: f32) -> float32x4_t {
        unsafe { vdupq_n_f32(value) }
    }

    #[inline(always)]
    unsafe fn max(a: int32x4_t, b: int32x4_t) -> int32x4_t {
        unsafe { vmaxq_s32(a, b) }
    }

    #[inline(always)]
    unsafe fn max_of_pairs(a: int32x4_t, b: int32x4_t) -> int32x4_t {
        unsafe { vpmaxq_s32(a, b) }
    }

    #[inline(always)]
    unsafe fn or_shifted<const SHIFT: i32>(a: int32x4_t, b: int32x4_t) -> int32x4_t {
        unsafe { vorrq_s32(a, vshlq_n_s32::<SHIFT>(b)) }
    }

    #[inline(always)]
    unsafe fn requantize(
        scaling: Scaling,
        acc: int32x4_t,
        multiplier: float32x4_t,
        offset: float32x4_t,
        low: float32x4_t,
        high: float32x4_t,
        base: int32x4_t,
    ) -> int32x4_t {
        unsafe {
            let code = vaddq_f32(scaled(scaling, acc, multiplier), offset);
            vaddq_s32(vcvtnq_s32_f32(vminq_f32(vmaxq_f32(code, low), high)), base)
        }
    }

    #[inline(always)]
    unsafe fn store_bytes(to: *mut u8, v: int32x4_t, count: usize) {
        unsafe {
            let words = vmovn_s32(v);
            let bytes = vmovn_s16(vcombine_s16(words, words));
            let bytes = vget_lane_u32::<0>(vreinterpret_u32_s8(bytes));
            if count == Self::LANES {
                to.cast::<u32>().write_unaligned(bytes);
            } else {
                to.copy_from_nonoverlapping(bytes.to_le_bytes().as_ptr(), count);
            }
        }
    }

    #[inline(always)]
    unsafe fn strided_quads(from: *const u8, step: usize) -> [int32x4_t; 4] {
        unsafe {
            let pixels = vld1q_u8(PIXELS[step - 1].as_ptr());
            let mut quads = [vdupq_n_s32(0); 4];
            for (quad, to) in quads.iter_mut().enumerate() {
                let bytes = vld1q_u8(from.add(4 * quad));
                *to = vreinterpretq_s32_u8(vqtbl1q_u8(bytes, pixels));
            }
            quads
        }
    }

    #[inline(always)]
    unsafe fn store_pairs(to: *mut u8, low: int32x4_t, high: int32x4_t, channels: usize) {
        unsafe {
            let places = vld1q_u8(PAIRS[channels - 5].as_ptr());
            let even = vreinterpretq_u8_s32(vzip1q_s32(low, high));
            let odd = vreinterpretq_u8_s32(vzip2q_s32(low, high));
            vst1q_u8(to, vqtbl1q_u8(even, places));
            vst1q_u8(to.add(16), vqtbl1q_u8(odd, places));
        }
    }

    #[inline(always)]
    unsafe fn interleave(rows: [*const u8; 4]) -> [int32x4_t; 4] {
        unsafe {
            let [a, b] = [vld1q_u8(rows[0]), vld1q_u8(rows[1])];
            let [c, d] = [vld1q_u8(rows[2]), vld1q_u8(rows[3])];
            let ab_low = vreinterpretq_u16_u8(vzip1q_u8(a, b));
            let ab_high = vreinterpretq_u16_u8(vzip2q_u8(a, b));
            let cd_low = vreinterpretq_u16_u8(vzip1q_u8(c, d));
            let cd_high = vreinterpretq_u16_u8(vzip2q_u8(c, d));
            [
                vreinterpretq_s32_u16(vzip1q_u16(ab_low, cd_low)),
                vreinterpretq_s32_u16(vzip2q_u16(ab_low, cd_low)),
                vreinterpretq_s32_u16(vzip1q_u16(ab_high, cd_high)),
                vreinterpretq_s32_u16(vzip2q_u16(ab_high, cd_high)),
            ]
        }
    }

    fn interleaved(result: usize, lane: usize) -> usize {
        4 * result + lane
    }

    #[inline(always)]
    unsafe fn round(
        scaling: Scaling,
        acc: int32x4_t,
        multiplier: float32x4_t,
        offset: float32x4_t,
    ) -> int32x4_t {
        unsafe { vcvtnq_s32_f32(vaddq_f32(scaled(scaling, acc, multiplier), offset)) }
    }

    #[inline(always)]
    unsafe fn store_interleaved(
        to: *mut u8,
        v: [int32x4_t; 4],
        base: i16,
        clamp: [u8; 2],
        count: usize,
    ) {
        unsafe {
            // Every step saturates, so that what lies beyond is clamped.
            let base = vdupq_n_s16(base);
            let low = vcombine_s16(vqmovn_s32(v[0]), vqmovn_s32(v[1]));
            let high = vcombine_s16(vqmovn_s32(v[2]), vqmovn_s32(v[3]));
            let bytes = vcombine_u8(
                vqmovun_s16(vqaddq_s16(low, base)),
                vqmovun_s16(vqaddq_s16(high, base)),
            );
            let bytes = vminq_u8(vmaxq_u8(bytes, vdupq_n_u8(clamp[0])), vdupq_n_u8(clamp[1]));
            if count == 4 * Self::LANES {
                vst1q_u8(to, bytes);
            } else {
                let mut all = [0u8; 16];
                vst1q_u8(all.as_mut_ptr(), bytes);
                to.copy_from_nonoverlapping(all.as_ptr(), count);
            }
        }
    }
}
