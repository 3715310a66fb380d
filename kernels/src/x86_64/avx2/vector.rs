//! Eight int32 lanes.

use std::arch::x86_64::*;
use std::marker::PhantomData;

use super::bytes::Bytes;
use super::words::Words;
use crate::requantizer::Scaling;
use crate::simd::{PAIRS, PIXELS, Product, Simd};

/// The vectors of every instruction set of 256 bits; `F` says how it multiplies.
#[derive(Clone, Copy, Debug)]
pub(in crate::x86_64) struct Vector256<F>(PhantomData<F>);

/// How an instruction set of 256 bits multiplies, and the tiles that its 16 registers hold.
pub(in crate::x86_64) trait Family: Copy {
    /// See [`Simd::TILE_PIXELS`].
    const TILE_PIXELS: [usize; 3];
    /// See [`Simd::PIXEL_TILE_CHANNELS`].
    const PIXEL_TILE_CHANNELS: usize;
    /// u8 times s8.
    type Bytes: Product<Vector256<Self>>;
    /// s16 times s16.
    type Words: Product<Vector256<Self>>;
}

/// AVX2 alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2;

impl Family for Avx2 {
    // Activations and weights take two registers each.
    const TILE_PIXELS: [usize; 3] = [8, 4, 0];
    const PIXEL_TILE_CHANNELS: usize = 2;
    type Bytes = Bytes;
    type Words = Words;
}

/// `f32(acc)·by`, or divided by it.
///
/// # Safety
/// The CPU has AVX2.
#[inline(always)]
unsafe fn scaled(scaling: Scaling, acc: __m256i, by: __m256) -> __m256 {
    // SAFETY: the caller's.
    unsafe {
        match scaling {
            Scaling::Multiply => _mm256_mul_ps(_mm256_cvtepi32_ps(acc), by),
            Scaling::Divide => _mm256_div_ps(_mm256_cvtepi32_ps(acc), by),
        }
    }
}

#[allow(
    clippy::undocumented_unsafe_blocks,
    reason = "one for all: the trait's contract gives the features and the pointers"
)]
impl<F: Family> Simd for Vector256<F> {
    const LANES: usize = 8;
    const TILE_PIXELS: [usize; 3] = F::TILE_PIXELS;
    const PIXEL_TILE_CHANNELS: usize = F::PIXEL_TILE_CHANNELS;
    const DEPTHWISE_PERIODS: usize = 2;
    type V = __m256i;
    type F = __m256;
    type Bytes = F::Bytes;
    type Words = F::Words;

    #[inline(always)]
    unsafe fn load(from: *const i32) -> __m256i {
        unsafe { _mm256_loadu_si256(from.cast()) }
    }

    #[inline(always)]
    unsafe fn store(to: *mut i32, v: __m256i) {
        unsafe { _mm256_storeu_si256(to.cast(), v) }
    }

    #[inline(always)]
    unsafe fn splat(value: i32) -> __m256i {
        unsafe { _mm256_set1_epi32(value) }
    }

    #[inline(always)]
    unsafe fn load_f32(from: *const f32) -> __m256 {
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn splat_f32(value: f32) -> __m256 {
        unsafe { _mm256_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn max(a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_max_epi32(a, b) }
    }

    #[inline(always)]
    unsafe fn max_of_pairs(a: __m256i, b: __m256i) -> __m256i {
        unsafe {
            let [a, b] = [_mm256_castsi256_ps(a), _mm256_castsi256_ps(b)];
            let even = _mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(a, b));
            let odd = _mm256_castps_si256(_mm256_shuffle_ps::<0b11_01_11_01>(a, b));
            _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_max_epi32(even, odd))
        }
    }

    #[inline(always)]
    unsafe fn or_shifted<const SHIFT: i32>(a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_or_si256(a, _mm256_slli_epi32::<SHIFT>(b)) }
    }

    #[inline(always)]
    unsafe fn requantize(
        scaling: Scaling,
        acc: __m256i,
        multiplier: __m256,
        offset: __m256,
        low: __m256,
        high: __m256,
        base: __m256i,
    ) -> __m256i {
        unsafe {
            let code = _mm256_add_ps(scaled(scaling, acc, multiplier), offset);
            let code = _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(code, low), high));
            _mm256_add_epi32(code, base)
        }
    }

    #[inline(always)]
    unsafe fn store_bytes(to: *mut u8, v: __m256i, count: usize) {
        unsafe {
            let first_of_each = _mm256_set1_epi32(0x0C08_0400);
            let quads = _mm256_shuffle_epi8(v, first_of_each);
            let low = _mm256_extract_epi32::<0>(quads) as u32;
            let high = _mm256_extract_epi32::<4>(quads) as u32;
            let bytes = u64::from(low) | u64::from(high) << 32;
            if count == Self::LANES {
                to.cast::<u64>().write_unaligned(bytes);
            } else {
                to.copy_from_nonoverlapping(bytes.to_le_bytes().as_ptr(), count);
            }
        }
    }

    #[inline(always)]
    unsafe fn strided_quads(from: *const u8, step: usize) -> [__m256i; 4] {
        unsafe {
            let pixels = _mm_loadu_si128(PIXELS[step - 1].as_ptr().cast());
            let pixels = _mm256_broadcastsi128_si256(pixels);
            let mut quads = [pixels; 4];
            for (quad, to) in quads.iter_mut().enumerate() {
                let low = _mm_loadu_si128(from.add(4 * quad).cast());
                let high = _mm_loadu_si128(from.add(4 * quad + 4 * step).cast());
                *to = _mm256_shuffle_epi8(_mm256_set_m128i(high, low), pixels);
            }
            quads
        }
    }

    #[inline(always)]
    unsafe fn store_pairs(to: *mut u8, low: __m256i, high: __m256i, channels: usize) {
        unsafe {
            let places = _mm_loadu_si128(PAIRS[channels - 5].as_ptr().cast());
            let places = _mm256_broadcastsi128_si256(places);
            let even = _mm256_shuffle_epi8(_mm256_unpacklo_epi32(low, high), places);
            let odd = _mm256_shuffle_epi8(_mm256_unpackhi_epi32(low, high), places);
            _mm256_storeu_si256(to.cast(), even);
            _mm256_storeu_si256(to.add(32).cast(), odd);
        }
    }

    #[inline(always)]
    unsafe fn interleave(rows: [*const u8; 4]) -> [__m256i; 4] {
        unsafe {
            let [a, b, c, d] = [
                _mm256_loadu_si256(rows[0].cast()),
                _mm256_loadu_si256(rows[1].cast()),
                _mm256_loadu_si256(rows[2].cast()),
                _mm256_loadu_si256(rows[3].cast()),
            ];
            let [ab_low, ab_high] = [_mm256_unpacklo_epi8(a, b), _mm256_unpackhi_epi8(a, b)];
            let [cd_low, cd_high] = [_mm256_unpacklo_epi8(c, d), _mm256_unpackhi_epi8(c, d)];
            [
                _mm256_unpacklo_epi16(ab_low, cd_low),
                _mm256_unpackhi_epi16(ab_low, cd_low),
                _mm256_unpacklo_epi16(ab_high, cd_high),
                _mm256_unpackhi_epi16(ab_high, cd_high),
            ]
        }
    }

    fn interleaved(result: usize, lane: usize) -> usize {
        16 * (lane / 4) + 4 * result + lane % 4
    }

    #[inline(always)]
    unsafe fn round(scaling: Scaling, acc: __m256i, multiplier: __m256, offset: __m256) -> __m256i {
        unsafe {
            let code = _mm256_add_ps(scaled(scaling, acc, multiplier), offset);
            _mm256_cvtps_epi32(code)
        }
    }

    #[inline(always)]
    unsafe fn store_interleaved(
        to: *mut u8,
        v: [__m256i; 4],
        base: i16,
        clamp: [u8; 2],
        count: usize,
    ) {
        unsafe {
            // Every step saturates, so that what lies beyond is clamped; each pack undoes one
            // unpack.
            let base = _mm256_set1_epi16(base);
            let bytes = _mm256_packus_epi16(
                _mm256_adds_epi16(_mm256_packs_epi32(v[0], v[1]), base),
                _mm256_adds_epi16(_mm256_packs_epi32(v[2], v[3]), base),
            );
            let [low, high] = [clamp[0] as i8, clamp[1] as i8];
            let bytes = _mm256_max_epu8(bytes, _mm256_set1_epi8(low));
            let bytes = _mm256_min_epu8(bytes, _mm256_set1_epi8(high));
            if count == 4 * Self::LANES {
                _mm256_storeu_si256(to.cast(), bytes);
            } else {
                let mut all = [0u8; 32];
                _mm256_storeu_si256(all.as_mut_ptr().cast(), bytes);
                to.copy_from_nonoverlapping(all.as_ptr(), count);
            }
        }
    }
}
