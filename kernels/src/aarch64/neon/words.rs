//! Pairs of words: widened products, added in pairs.

use std::arch::aarch64::*;

use super::vector::{Family, Vector128};
use crate::simd::Product;

/// s16 times s16; sums wrap.
#[derive(Clone, Copy, Debug)]
pub(in crate::aarch64) struct Words;

#[allow(
    clippy::undocumented_unsafe_blocks,
    reason = "one for all: the trait's contract gives the features and the pointers"
)]
impl<F: Family> Product<Vector128<F>> for Words {
    const SHIFT: i32 = 0;
    type A = int16x8_t;
    type W = int16x8_t;

    #[inline(always)]
    unsafe fn activations(v: int32x4_t) -> int16x8_t {
        unsafe { vreinterpretq_s16_s32(v) }
    }

    #[inline(always)]
    unsafe fn weights(v: int32x4_t) -> int16x8_t {
        unsafe { vreinterpretq_s16_s32(v) }
    }

    #[inline(always)]
    unsafe fn dot(acc: int32x4_t, a: int16x8_t, w: int16x8_t) -> int32x4_t {
        unsafe {
            let low = vmull_s16(vget_low_s16(a), vget_low_s16(w));
            let high = vmull_high_s16(a, w);
            vaddq_s32(acc, vpaddq_s32(low, high))
        }
    }
}
