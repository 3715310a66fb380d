//! Quads of bytes, one product at a time.

use super::vector::Portable;
use crate::simd::{Product, Simd};

/// u8 activations as they are times s8 weights.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes;

type Lanes = <Portable as Simd>::V;

#[allow(
    clippy::undocumented_unsafe_blocks,
    reason = "one for all: the trait's contract gives the pointers"
)]
impl Product<Portable> for Bytes {
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
            // Shifts rather than arrays of bytes: compilers make vectors of them.
            let product =
                |byte: i32| (a << (24 - byte) as u32 >> 24 & 0xFF) * (w << (24 - byte) >> 24);
            (acc[lane])
                .wrapping_add(product(0) + product(8))
                .wrapping_add(product(16) + product(24))
        })
    }
}
