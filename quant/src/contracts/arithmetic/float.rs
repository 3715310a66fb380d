//! Multipliers that are floats.

use crate::contracts::ContractError;

/// `x = f·2^e` with f in [½, 1), as C's frexp; for positive finite `x`.
pub fn frexp(x: f64) -> (f64, i32) {
    const FRACTION: u64 = (1 << 52) - 1;
    // A subnormal is made normal first, exactly.
    let (x, lifted) = if x < f64::MIN_POSITIVE {
        (x * 2f64.powi(54), 54)
    } else {
        (x, 0)
    };
    let bits = x.to_bits();
    let field = ((bits >> 52) & 0x7ff) as i32;
    let fraction = f64::from_bits((bits & FRACTION) | (1022 << 52));
    (fraction, field - 1022 - lifted)
}

/// An integral `x` within ±2²². Not `x as i32`, whose test for NaN takes a branch for each lane
/// of a vector.
#[inline]
pub fn integer(x: f32) -> i32 {
    // Numbers beside 3·2²² are one apart: the last bits of the sum count them. Nothing wraps;
    // said to the compiler, so that a debug build has vectors as well.
    const ONE_APART: f32 = (3 << 22) as f32;
    (x + ONE_APART).to_bits().wrapping_sub(ONE_APART.to_bits()) as i32
}

/// `factor` itself, where float32 holds it as a positive number; `multiplier` is what it is
/// to stand for.
///
/// # Errors
/// It overflowed, or vanished. Subnormal numbers pass: the frameworks compute with them.
pub fn usable(factor: f32, multiplier: f64) -> Result<f32, ContractError> {
    if factor.is_infinite() || factor.is_nan() {
        return Err(ContractError::MultiplierTooLarge {
            multiplier,
            why: "a float32 factor of it is infinite",
        });
    }
    if factor <= 0.0 {
        return Err(ContractError::MultiplierTooSmall {
            multiplier,
            why: "a float32 factor of it is zero",
        });
    }
    Ok(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_and_its_exponent_give_the_number_back() {
        for x in [0.5, 1.0, 0.75, 3.0, 1e300, 1e-300, 0.1, f64::MIN_POSITIVE] {
            let (fraction, exponent) = frexp(x);
            assert!((0.5..1.0).contains(&fraction), "{x:e}");
            // Halved, so that the power is representable for the smallest numbers.
            assert_eq!(fraction * 2.0 * 2f64.powi(exponent - 1), x);
        }
        assert_eq!(frexp(5e-324), (0.5, -1073));
        // A subnormal has a bit less than a normal number just below a power of two.
        assert_eq!(
            frexp(f64::MIN_POSITIVE.next_down()),
            (1.0 - f64::EPSILON, -1022)
        );
    }

    #[test]
    fn an_integer_is_what_as_gives() {
        for x in -(1 << 22)..=1 << 22 {
            assert_eq!(integer(x as f32), x);
        }
        assert_eq!(integer(-0.0), 0);
    }

    #[test]
    fn a_factor_is_positive_and_finite() {
        assert_eq!(usable(1e-45, 1e-45), Ok(1e-45));
        for lost in [0.0, f32::INFINITY, f32::NAN] {
            assert!(usable(lost, 1.0).is_err());
        }
    }
}
