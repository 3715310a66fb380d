//! Quads of bytes by `vpdpbusd`.

use std::arch::x86_64::*;

use super::vector::Avx512;
use crate::simd::Product;

/// u8 activations as they are times s8 weights: no sum of it saturates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes;

#[allow(
    clippy::undocumented_unsafe_blocks,
    reason = "one for all: the trait's contract gives the features and the pointers"
)]
impl Product<Avx512> for Bytes {
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
        unsafe { _mm512_dpbusd_epi32(acc, a, w) }
    }
}
