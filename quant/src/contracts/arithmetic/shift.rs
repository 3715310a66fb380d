//! An integer divided by a power of two.

use crate::Rounding;

/// `x / 2^bits` under `rounding`, without overflow for any `x`.
///
/// `bits` is 0 to 63; more bits than that count as 63.
#[inline(always)]
pub fn shift_right(x: i64, bits: u32, rounding: Rounding) -> i64 {
    let bits = bits.min(i64::BITS - 1);
    if bits == 0 {
        return x;
    }
    let floor = x >> bits;
    // The bits shifted out, and one half of what they count.
    let rest = x & !(-1 << bits);
    let half = 1 << (bits - 1);
    let up = match rounding {
        Rounding::Floor => false,
        Rounding::HalfUp => rest >= half,
        Rounding::TiesAwayFromZero => rest > half - i64::from(x >= 0),
        Rounding::TiesToEven => rest > half - (floor & 1),
        Rounding::TowardZero => x < 0 && rest != 0,
    };
    // At least one bit was shifted out, so it does not wrap.
    floor.wrapping_add(i64::from(up))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_agrees_with_the_rounding_of_the_exact_quotient() {
        for rounding in Rounding::ALL {
            for bits in 0..8 {
                for x in -1000i64..=1000 {
                    let exact = x as f64 / f64::from(1 << bits);
                    assert_eq!(
                        shift_right(x, bits, rounding),
                        rounding.round(exact) as i64,
                        "{x} / 2^{bits}, {rounding:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_ends_of_int64_do_not_overflow() {
        for rounding in Rounding::ALL {
            assert_eq!(shift_right(i64::MIN, 0, rounding), i64::MIN);
            assert_eq!(shift_right(i64::MIN, 62, rounding), -2);
            assert_eq!(shift_right(i64::MIN, 63, rounding), -1);
            assert_eq!(shift_right(i64::MIN, 99, rounding), -1);
        }
        assert_eq!(shift_right(i64::MAX, 1, Rounding::HalfUp), 1 << 62);
        assert_eq!(shift_right(i64::MAX, 62, Rounding::TiesToEven), 2);
        assert_eq!(shift_right(i64::MAX, 63, Rounding::TiesAwayFromZero), 1);
    }
}
