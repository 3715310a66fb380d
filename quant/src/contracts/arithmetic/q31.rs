//! Products with a 31-bit mantissa: the vocabulary of gemmlowp and TensorFlow Lite.

use std::ops::RangeInclusive;

use super::float::frexp;
use super::shift::shift_right;
use crate::Rounding;
use crate::contracts::ContractError;

/// A multiplier `mantissa_q31 · 2^(exponent − 31)`; a positive exponent shifts left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Multiplier {
    /// 0, or 2³⁰ to 2³¹ − 1.
    pub mantissa_q31: i32,
    /// −31 to 30.
    pub exponent: i32,
}

impl Multiplier {
    /// The largest exponent: `1 << 31` is no int32.
    pub const MOST: i32 = 30;

    /// TensorFlow Lite's `QuantizeMultiplier`: `real = f·2^e` with f in [½, 1); the mantissa is
    /// f·2³¹, halves away from zero; 2³¹ becomes 2³⁰ with e + 1; e below −31 becomes 0.
    ///
    /// `real` is positive and finite.
    ///
    /// # Errors
    /// An exponent above [`Self::MOST`].
    pub fn from_real(real: f64) -> Result<Self, ContractError> {
        let (fraction, mut exponent) = frexp(real);
        // Exact: f has 53 bits, so the product is below 2⁵³.
        let mut mantissa = (fraction * 2f64.powi(31)).round() as i64;
        if mantissa == 1 << 31 {
            mantissa = 1 << 30;
            exponent += 1;
        }
        if exponent > Self::MOST {
            return Err(ContractError::MultiplierTooLarge {
                multiplier: real,
                why: "its left shift is more than 30 bits",
            });
        }
        if exponent < -31 {
            return Ok(Self {
                mantissa_q31: 0,
                exponent: 0,
            });
        }
        // At most 2³¹ − 1 by now.
        let mantissa_q31 = mantissa as i32;
        Ok(Self {
            mantissa_q31,
            exponent,
        })
    }

    /// Bits that an accumulator is shifted left before the product.
    #[inline(always)]
    pub fn left(self) -> u32 {
        self.exponent.max(0) as u32
    }

    /// Bits that the product is shifted right.
    #[inline(always)]
    pub fn right(self) -> u32 {
        self.exponent.min(0).unsigned_abs()
    }

    /// Bits that the whole int64 product is shifted right: 31 − e, 1 to 62.
    #[inline(always)]
    pub fn total(self) -> u32 {
        // Its check would be a branch in loops; the exponent is −31 to 30.
        31i32.wrapping_sub(self.exponent) as u32
    }

    /// The accumulators whose left shift fits int32.
    pub fn unshifted(self) -> RangeInclusive<i32> {
        (i32::MIN >> self.left())..=(i32::MAX >> self.left())
    }

    /// `SRDHM(acc << max(e, 0), mantissa)`; the left shift wraps to int32, as compiled C does.
    #[inline(always)]
    fn high(self, acc: i32) -> i64 {
        let shifted = acc.wrapping_shl(self.left());
        i64::from(saturating_rounding_doubling_high_mul(
            shifted,
            self.mantissa_q31,
        ))
    }

    /// Rounded up, then away from zero: `RDBPOT(SRDHM(acc << max(e, 0), q), max(−e, 0))`.
    #[inline(always)]
    pub fn double(self, acc: i32) -> i64 {
        shift_right(self.high(acc), self.right(), Rounding::TiesAwayFromZero)
    }

    /// Rounded up twice: `(SRDHM(acc << max(e, 0), q) + 2^(r−1)) >> r`, r = max(−e, 0).
    #[inline(always)]
    pub fn up_up(self, acc: i32) -> i64 {
        shift_right(self.high(acc), self.right(), Rounding::HalfUp)
    }

    /// Rounded once, up: `(acc·q + 2^(t−1)) >> t`, t = 31 − e, in int64.
    #[inline(always)]
    pub fn single(self, acc: i32) -> i64 {
        let product = i64::from(acc) * i64::from(self.mantissa_q31);
        shift_right(product, self.total(), Rounding::HalfUp)
    }
}

/// gemmlowp's SRDHM: `(a·b + 2³⁰) >> 31` in int64; −2³¹ · −2³¹ saturates to 2³¹ − 1.
#[inline(always)]
pub fn saturating_rounding_doubling_high_mul(a: i32, b: i32) -> i32 {
    let high = (i64::from(a) * i64::from(b) + (1 << 30)) >> 31;
    high.min(i64::from(i32::MAX)) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn the_high_product_saturates_at_its_one_overflow() {
        let of = saturating_rounding_doubling_high_mul;
        assert_eq!(of(i32::MIN, i32::MIN), i32::MAX);
        assert_eq!(of(i32::MIN, i32::MAX), -i32::MAX);
        assert_eq!(of(i32::MAX, i32::MAX), i32::MAX - 1);
        // Ties go up: ½, −½.
        assert_eq!((of(1, 1 << 30), of(-1, 1 << 30)), (1, 0));
    }

    #[rstest]
    #[case(0.5, 1 << 30, 0)]
    #[case(1.0, 1 << 30, 1)]
    #[case(0.05, 1_717_986_918, -4)]
    // The mantissa rounds to 2³¹ and is halved.
    #[case(1.0f64.next_down(), 1 << 30, 1)]
    #[case(2f64.powi(-32), 1 << 30, -31)]
    #[case(2f64.powi(-32).next_down(), 1 << 30, -31)]
    #[case(2f64.powi(-33), 0, 0)]
    #[case(5e-324, 0, 0)]
    fn a_real_becomes_a_mantissa_and_an_exponent(
        #[case] real: f64,
        #[case] mantissa_q31: i32,
        #[case] exponent: i32,
    ) {
        let expected = Multiplier {
            mantissa_q31,
            exponent,
        };
        assert_eq!(Multiplier::from_real(real), Ok(expected));
    }

    #[test]
    fn a_left_shift_of_31_bits_is_an_error() {
        let largest = f64::from(i32::MAX) / 2f64.powi(31) * 2f64.powi(30);
        assert_eq!(Multiplier::from_real(largest).unwrap().exponent, 30);
        for real in [2f64.powi(30).next_down(), 2f64.powi(30), 1e300] {
            assert!(matches!(
                Multiplier::from_real(real),
                Err(ContractError::MultiplierTooLarge { .. })
            ));
        }
    }
}
