//! Quads of bytes by `vpdpbusd`.

use std::arch::x86_64::*;

use super::vector::Vector;
use crate::simd::Product;

/// u8 activations as they are times s8 weights: no sum of it saturates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes;

#[allow(
    clippy::undocumented_unsafe_blocks,
    reason = "one for all: the trait's contract gives the features and the pointers"
)]
impl Product<Vector> for Bytes {
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
        unsafe { _mm256_dpbusd_avx_epi32(acc, a, w) }
    }
}
