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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_eight_bits() {
        let values = [-129.0, -128.0, -1.0, 127.0, 128.0, 1e30];
        let saturated = values.map(|value| saturate(value, 8));
        assert_eq!(saturated, [-128, -128, -1, 127, 127, 127]);
        let wrapped = [-129, -128, -1, 127, 128, 511].map(|value| wrap(value, 8));
        assert_eq!(wrapped, [127, -128, -1, 127, -128, -1]);
        assert_eq!(wrap(1 << 31, 32), i64::from(i32::MIN));
        let others = [-128, -1, 0, 127, 128, 255].map(other_signedness);
        assert_eq!(others, [128, 255, 0, 127, -128, -1]);
    }
}
