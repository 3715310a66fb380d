//! The dot product that convolution and linear layers share.

/// `Σ a_i · b_i` of two int16 rows that hold codes; the sum fits int32 by the proof
/// made when the weights were packed, so wrapping addition never wraps.
pub(super) fn dot(a: &[i16], b: &[i16]) -> i32 {
    (a.iter().zip(b)).fold(0i32, |sum, (&a, &b)| {
        sum.wrapping_add(i32::from(a).wrapping_mul(i32::from(b)))
    })
}
