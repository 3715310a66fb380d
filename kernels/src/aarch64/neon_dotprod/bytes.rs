//! Quads of bytes by `sdot`.

use std::arch::aarch64::*;
use std::arch::asm;

use super::vector::Vector;
use crate::aarch64::neon::signed;
use crate::simd::Product;

/// Activations less 128 times s8 weights.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes;

#[allow(
    clippy::undocumented_unsafe_blocks,
    reason = "one for all: the trait's contract gives the features and the pointers"
)]
impl Product<Vector> for Bytes {
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
    unsafe fn dot(mut acc: int32x4_t, a: int8x16_t, w: int8x16_t) -> int32x4_t {
        // The intrinsic is not stable yet.
        unsafe {
            asm!(
                "sdot {acc:v}.4s, {a:v}.16b, {w:v}.16b",
                acc = inout(vreg) acc,
                a = in(vreg) a,
                w = in(vreg) w,
                options(pure, nomem, nostack, preserves_flags),
            );
        }
        acc
    }
}
