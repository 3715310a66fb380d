//! Integers of few bits.

/// The nearest integer of this many bits, signed.
pub(in crate::mistakes) fn saturate(value: f64, bits: u32) -> i64 {
    let end = 2f64.powi(bits as i32 - 1);
    value.clamp(-end, end - 1.0) as i64
}

/// The lowest bits of an integer, signed.
pub(in crate::mistakes) fn wrap(value: i64, bits: u32) -> i64 {
    let unused = 64 - bits;
    value << unused >> unused
}

/// What a code is as a byte of the other signedness.
pub(in crate::mistakes) fn other_signedness(code: i64) -> i64 {
    match code {
        ..0 => code + 256,
        0..128 => code,
        _ => code - 256,
    }
}
