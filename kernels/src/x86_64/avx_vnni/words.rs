//! Pairs of words by `vpdpwssd`.

use std::arch::x86_64::*;

use super::vector::Vector;
use crate::simd::Product;

/// s16 times s16; sums wrap.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words;

#[allow(
    clippy::undocumented_unsafe_blocks,
    reason = "one for all: the trait's contract gives the features and the pointers"
)]
impl Product<Vector> for Words {
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
        unsafe { _mm256_dpwssd_avx_epi32(acc, a, w) }
    }
}
