//! Sixteen int32 lanes.

use std::arch::x86_64::*;

use super::bytes::Bytes;
use super::words::Words;
use crate::requantizer::Scaling;
use crate::simd::{PAIRS, PIXELS, Simd};

#[derive(Clone, Copy, Debug)]
pub(super) struct Avx512;

/// Dwords `step·l` to `step·l + 3` in the 128-bit lane `l`: the window of its four pixels.
const WINDOWS: [[i32; 16]; 4] = {
    let mut all = [[0; 16]; 4];
    let mut step = 0;
    while step < 4 {
        let mut i = 0;
        while i < 16 {
            all[step][i] = ((step + 1) * (i / 4) + i % 4) as i32;
            i += 1;
        }
        step += 1;
    }
    all
};

/// The even, and the odd, of the lanes of two vectors.
const EVERY_SECOND: [[i32; 16]; 2] = {
    let mut all = [[0; 16]; 2];
    let mut i = 0;
    while i < 16 {
        all[0][i] = 2 * i as i32;
        all[1][i] = 2 * i as i32 + 1;
        i += 1;
    }
    all
};

/// `f32(acc)·by`, or divided by it.
///
/// # Safety
/// The CPU has AVX-512.
#[inline(always)]
unsafe fn scaled(scaling: Scaling, acc: __m512i, by: __m512) -> __m512 {
    // SAFETY: the caller's.
    unsafe {
        match scaling {
            Scaling::Multiply => _mm512_mul_ps(_mm512_cvtepi32_ps(acc), by),
            Scaling::Divide => _mm512_div_ps(_mm512_cvtepi32_ps(acc), by),
        }
    }
}

#[allow(
    clippy::undocumented_unsafe_blocks,
    reason = "one for all: the trait's contract gives the features and the pointers"
)]
impl Simd for Avx512 {
    const LANES: usize = 16;
    const TILE_PIXELS: [usize; 3] = [24, 14, 6];
    const PIXEL_TILE_CHANNELS: usize = 6;
    const DEPTHWISE_PERIODS: usize = 2;
    type V = __m512i;
    type F = __m512;
    type Bytes = Bytes;
    type Words = Words;

    #[inline(always)]
    unsafe fn load(from: *const i32) -> __m512i {
        unsafe { _mm512_loadu_si512(from.cast()) }
    }

    #[inline(always)]
    unsafe fn store(to: *mut i32, v: __m512i) {
        unsafe { _mm512_storeu_si512(to.cast(), v) }
    }

    #[inline(always)]
    unsafe fn splat(value: i32) -> __m512i {
        unsafe { _mm512_set1_epi32(value) }
    }

    #[inline(always)]
    unsafe fn load_f32(from: *const f32) -> __m512 {
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn splat_f32(value: f32) -> __m512 {
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn max(a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_max_epi32(a, b) }
    }

    #[inline(always)]
    unsafe fn max_of_pairs(a: __m512i, b: __m512i) -> __m512i {
        unsafe {
            let even = _mm512_loadu_si512(EVERY_SECOND[0].as_ptr().cast());
            let odd = _mm512_loadu_si512(EVERY_SECOND[1].as_ptr().cast());
            _mm512_max_epi32(
                _mm512_permutex2var_epi32(a, even, b),
                _mm512_permutex2var_epi32(a, odd, b),
            )
        }
    }

    #[inline(always)]
    unsafe fn or_shifted<const SHIFT: i32>(a: __m512i, b: __m512i) -> __m512i {
        // A variable count: the const one is unsigned here and signed for 256 bits.
        unsafe { _mm512_or_si512(a, _mm512_sllv_epi32(b, _mm512_set1_epi32(SHIFT))) }
    }

    #[inline(always)]
    unsafe fn requantize(
        scaling: Scaling,
        acc: __m512i,
        multiplier: __m512,
        offset: __m512,
        low: __m512,
        high: __m512,
        base: __m512i,
    ) -> __m512i {
        unsafe {
            let code = _mm512_add_ps(scaled(scaling, acc, multiplier), offset);
            let code = _mm512_cvtps_epi32(_mm512_min_ps(_mm512_max_ps(code, low), high));
            _mm512_add_epi32(code, base)
        }
    }

    #[inline(always)]
    unsafe fn store_bytes(to: *mut u8, v: __m512i, count: usize) {
        unsafe {
            let bytes = _mm512_cvtepi32_epi8(v);
            if count == Self::LANES {
                _mm_storeu_si128(to.cast(), bytes);
            } else {
                _mm_mask_storeu_epi8(to.cast(), (1 << count) - 1, bytes);
            }
        }
    }

    #[inline(always)]
    unsafe fn strided_quads(from: *const u8, step: usize) -> [__m512i; 4] {
        unsafe {
            let pixels = _mm_loadu_si128(PIXELS[step - 1].as_ptr().cast());
            let pixels = _mm512_broadcast_i32x4(pixels);
            let first = _mm512_loadu_si512(WINDOWS[step - 1].as_ptr().cast());
            let bytes = _mm512_loadu_si512(from.cast());
            let mut quads = [bytes; 4];
            for (quad, to) in quads.iter_mut().enumerate() {
                // The last quad's windows end within the 64 bytes if pixels are near.
                let (bytes, windows) = match step {
                    4 => (_mm512_loadu_si512(from.add(4 * quad).cast()), first),
                    _ => (
                        bytes,
                        _mm512_add_epi32(first, _mm512_set1_epi32(quad as i32)),
                    ),
                };
                *to = _mm512_shuffle_epi8(_mm512_permutexvar_epi32(windows, bytes), pixels);
            }
            quads
        }
    }

    #[inline(always)]
    unsafe fn store_pairs(to: *mut u8, low: __m512i, high: __m512i, channels: usize) {
        unsafe {
            let places = _mm_loadu_si128(PAIRS[channels - 5].as_ptr().cast());
            let places = _mm512_broadcast_i32x4(places);
            let even = _mm512_shuffle_epi8(_mm512_unpacklo_epi32(low, high), places);
            let odd = _mm512_shuffle_epi8(_mm512_unpackhi_epi32(low, high), places);
            _mm512_storeu_si512(to.cast(), even);
            _mm512_storeu_si512(to.add(64).cast(), odd);
        }
    }

    #[inline(always)]
    unsafe fn interleave(rows: [*const u8; 4]) -> [__m512i; 4] {
        unsafe {
            let [a, b, c, d] = [
                _mm512_loadu_si512(rows[0].cast()),
                _mm512_loadu_si512(rows[1].cast()),
                _mm512_loadu_si512(rows[2].cast()),
                _mm512_loadu_si512(rows[3].cast()),
            ];
            let [ab_low, ab_high] = [_mm512_unpacklo_epi8(a, b), _mm512_unpackhi_epi8(a, b)];
            let [cd_low, cd_high] = [_mm512_unpacklo_epi8(c, d), _mm512_unpackhi_epi8(c, d)];
            [
                _mm512_unpacklo_epi16(ab_low, cd_low),
                _mm512_unpackhi_epi16(ab_low, cd_low),
                _mm512_unpacklo_epi16(ab_high, cd_high),
                _mm512_unpackhi_epi16(ab_high, cd_high),
            ]
        }
    }

    fn interleaved(result: usize, lane: usize) -> usize {
        16 * (lane / 4) + 4 * result + lane % 4
    }

    #[inline(always)]
    unsafe fn round(scaling: Scaling, acc: __m512i, multiplier: __m512, offset: __m512) -> __m512i {
        unsafe {
            let code = _mm512_add_ps(scaled(scaling, acc, multiplier), offset);
            _mm512_cvtps_epi32(code)
        }
    }

    #[inline(always)]
    unsafe fn store_interleaved(
        to: *mut u8,
        v: [__m512i; 4],
        base: i16,
        clamp: [u8; 2],
        count: usize,
    ) {
        unsafe {
            // Every step saturates, so that what lies beyond is clamped; each pack undoes one
            // unpack.
            let base = _mm512_set1_epi16(base);
            let bytes = _mm512_packus_epi16(
                _mm512_adds_epi16(_mm512_packs_epi32(v[0], v[1]), base),
                _mm512_adds_epi16(_mm512_packs_epi32(v[2], v[3]), base),
            );
            let [low, high] = [clamp[0] as i8, clamp[1] as i8];
            let bytes = _mm512_max_epu8(bytes, _mm512_set1_epi8(low));
            let bytes = _mm512_min_epu8(bytes, _mm512_set1_epi8(high));
            if count == 4 * Self::LANES {
                _mm512_storeu_si512(to.cast(), bytes);
            } else {
                _mm512_mask_storeu_epi8(to.cast(), (1 << count) - 1, bytes);
            }
        }
    }
}
