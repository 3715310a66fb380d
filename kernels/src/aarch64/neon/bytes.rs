//! Quads of bytes: widened products, added in pairs twice.

use std::arch::aarch64::*;

use super::vector::{Neon, Vector128};
use crate::simd::Product;

/// Activations less 128 times s8 weights.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes;

/// u8 less 128.
///
/// # Safety
/// The CPU has NEON.
#[inline(always)]
pub(in crate::aarch64) unsafe fn signed(v: int32x4_t) -> int8x16_t {
    // SAFETY: the caller's.
    unsafe { vreinterpretq_s8_u8(veorq_u8(vreinterpretq_u8_s32(v), vdupq_n_u8(0x80))) }
}

#[allow(
    clippy::undocumented_unsafe_blocks,
    reason = "one for all: the trait's contract gives the features and the pointers"
)]
impl Product<Vector128<Neon>> for Bytes {
    const SHIFT: i32 = 128;
    type A = int8x16_t;
    type W = int8x16_t;

    #[inline(always)]
    unsafe fn activations(v: int32x4_t) -> int8x16_t {
        unsafe { signed(v) }
    }

    #[inline(always)]
    unsafe fn weights(v: int32x4_t) -> int8x16_t {
        unsafe { vreinterpretq_s8_s32(v) }
    }

    #[inline(always)]
    unsafe fn dot(acc: int32x4_t, a: int8x16_t, w: int8x16_t) -> int32x4_t {
        unsafe {
            let low = vpaddlq_s16(vmull_s8(vget_low_s8(a), vget_low_s8(w)));
            let high = vpaddlq_s16(vmull_high_s8(a, w));
            vaddq_s32(acc, vpaddq_s32(low, high))
        }
    }
}
