//! Dot products and nothing else: what the core can do at most.

use crate::simd::{Product, Simd};

/// Chains that do not wait for each other: more than the latency of a dot product needs.
const CHAINS: usize = 16;

/// Multiply-adds of bytes that a call of [`run`] makes.
pub(crate) fn macs(lanes: usize, rounds: usize) -> usize {
    rounds * CHAINS * lanes * 4
}

/// `rounds` dot products in each chain; the sum keeps them from being left out.
///
/// # Safety
/// The CPU has the instruction set.
#[inline(always)]
pub(crate) unsafe fn run<S: Simd>(rounds: usize) -> i32 {
    // SAFETY: the caller's; arrays are as long as vectors.
    unsafe {
        let bytes = std::hint::black_box([1u8; 64]);
        let a = S::Bytes::activations(S::quad(bytes.as_ptr()));
        let w = S::Bytes::weights(S::load(bytes.as_ptr().cast()));
        let mut acc = [S::splat(0); CHAINS];
        for _ in 0..rounds {
            for acc in &mut acc {
                *acc = S::Bytes::dot(*acc, a, w);
            }
        }
        let mut sum = 0;
        for acc in acc {
            let mut lanes = [0i32; 16];
            S::store(lanes.as_mut_ptr(), acc);
            sum += lanes[0];
        }
        sum
    }
}
