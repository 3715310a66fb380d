//! Pairs of words by `vpdpwssd`.

use std::arch::x86_64::*;

use super::vector::Avx512;
use crate::simd::Product;

/// s16 times s16; sums wrap.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words;

#[allow(
    clippy::undocumented_unsafe_blocks,
    reason = "one for all: the trait's contract gives the features and the pointers"
)]
impl Product<Avx512> for Words {
    const SHIFT: i32 = 0;
    type A = __m512i;
    type W = __m512i;

    #[inline(always)]
    unsafe fn activations(v: __m512i) -> __m512i {
        v
    }

    #[inline(always)]
    unsafe fn weights(v: __m512i) -> __m512i {
        v
    }

    #[inline(always)]
    unsafe fn dot(acc: __m512i, a: __m512i, w: __m512i) -> __m512i {
        unsafe { _mm512_dpwssd_epi32(acc, a, w) }
    }
}
