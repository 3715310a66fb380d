//! Pairs of words, one product at a time.

use super::vector::Portable;
use crate::simd::{Product, Simd};

/// s16 times s16; sums wrap.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words;

type Lanes = <Portable as Simd>::V;

#[allow(
    clippy::undocumented_unsafe_blocks,
    reason = "one for all: the trait's contract gives the pointers"
)]
impl Product<Portable> for Words {
    const SHIFT: i32 = 0;
    type A = Lanes;
    type W = Lanes;

    #[inline(always)]
    unsafe fn activations(v: Lanes) -> Lanes {
        v
    }

    #[inline(always)]
    unsafe fn weights(v: Lanes) -> Lanes {
        v
    }

    #[inline(always)]
    unsafe fn dot(acc: Lanes, a: Lanes, w: Lanes) -> Lanes {
        std::array::from_fn(|lane| {
            let [a, w] = [a[lane], w[lane]];
            let low = (a << 16 >> 16) * (w << 16 >> 16);
            (acc[lane])
                .wrapping_add(low)
                .wrapping_add((a >> 16) * (w >> 16))
        })
    }
}
