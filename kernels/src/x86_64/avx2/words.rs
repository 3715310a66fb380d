//! Pairs of words by `vpmaddwd`.

use std::arch::x86_64::*;

use super::vector::{Avx2, Vector256};
use crate::simd::Product;

/// s16 times s16; sums wrap.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words;

/// `acc + a₀·w₀ + a₁·w₁` of each lane, modulo 2³².
///
/// # Safety
/// The CPU has AVX2.
#[inline(always)]
pub(in crate::x86_64) unsafe fn add_products(acc: __m256i, a: __m256i, w: __m256i) -> __m256i {
    // SAFETY: the caller's.
    unsafe { _mm256_add_epi32(acc, _mm256_madd_epi16(a, w)) }
}

#[allow(
    clippy::undocumented_unsafe_blocks,
    reason = "one for all: the trait's contract gives the features and the pointers"
)]
impl Product<Vector256<Avx2>> for Words {
    const SHIFT: i32 = 0;
    type A = __m256i;
    type W = __m256i;

    #[inline(always)]
    unsafe fn activations(v: __m256i) -> __m256i {
        v
    }

    #[inline(always)]
    unsafe fn weights(v: __m256i) -> __m256i {
        v
    }

    #[inline(always)]
    unsafe fn dot(acc: __m256i, a: __m256i, w: __m256i) -> __m256i {
        unsafe { add_products(acc, a, w) }
    }
}
