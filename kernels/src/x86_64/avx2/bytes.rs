//! Quads of bytes as two pairs of words: no sum saturates.

use std::arch::x86_64::*;

use super::vector::{Avx2, Vector256};
use super::words::add_products;
use crate::simd::Product;

/// u8 activations as they are times s8 weights.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes;

/// The bytes of each lane at even and at odd places, as words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Split {
    even: __m256i,
    odd: __m256i,
}

/// Zero-extended.
///
/// # Safety
/// The CPU has AVX2.
#[inline(always)]
unsafe fn unsigned(bytes: __m256i) -> Split {
    // SAFETY: the caller's.
    unsafe {
        Split {
            even: _mm256_and_si256(bytes, _mm256_set1_epi16(0xFF)),
            odd: _mm256_srli_epi16::<8>(bytes),
        }
    }
}

/// Sign-extended.
///
/// # Safety
/// The CPU has AVX2.
#[inline(always)]
unsafe fn signed(bytes: __m256i) -> Split {
    // SAFETY: the caller's.
    unsafe {
        Split {
            even: _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(bytes)),
            odd: _mm256_srai_epi16::<8>(bytes),
        }
    }
}

#[allow(
    clippy::undocumented_unsafe_blocks,
    reason = "one for all: the trait's contract gives the features and the pointers"
)]
impl Product<Vector256<Avx2>> for Bytes {
    const SHIFT: i32 = 0;
    type A = Split;
    type W = Split;

    #[inline(always)]
    unsafe fn activations(v: __m256i) -> Split {
        unsafe { unsigned(v) }
    }

    #[inline(always)]
    unsafe fn weights(v: __m256i) -> Split {
        unsafe { signed(v) }
    }

    #[inline(always)]
    unsafe fn dot(acc: __m256i, a: Split, w: Split) -> __m256i {
        unsafe { add_products(add_products(acc, a.even, w.even), a.odd, w.odd) }
    }
}
