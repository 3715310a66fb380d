//! Codes of accumulators and nothing else: what the tiles do with theirs.

use crate::requantizer::Requantizer;
use crate::simd::Simd;

/// Stored codes of accumulators, all with the first channel's constants; as many as the shorter
/// slice has.
///
/// # Safety
/// The CPU has the instruction set.
#[inline(always)]
pub(crate) unsafe fn run<S: Simd>(requantizer: &Requantizer, acc: &[i32], codes: &mut [u8]) {
    let len = acc.len().min(codes.len());
    // SAFETY: the caller's; `first` holds the widest vector, and so many are left.
    unsafe {
        let multiplier = S::splat_f32(requantizer.multipliers[0]);
        let offset = S::splat_f32(requantizer.offsets[0]);
        let low = S::splat_f32(requantizer.low);
        let high = S::splat_f32(requantizer.high);
        let base = S::splat(requantizer.base);
        for at in (0..len).step_by(S::LANES) {
            let count = (len - at).min(S::LANES);
            let mut first = [0i32; 16];
            first[..count].copy_from_slice(&acc[at..][..count]);
            let v = S::requantize(
                requantizer.scaling,
                S::load(first.as_ptr()),
                multiplier,
                offset,
                low,
                high,
                base,
            );
            S::store_bytes(codes.as_mut_ptr().add(at), v, count);
        }
    }
}
