//! The float types that the operators run in.

use std::fmt::Debug;
use std::ops::{Add, Mul};

use half::{bf16, f16};
use num_traits::Float;

/// A number whose products are summed in a type at least as wide: floats, and
/// int8 codes, which sum in int32, and wider codes, which sum in int64.
pub trait Summand: Copy + Send + Sync + 'static {
    /// The type in which sums are formed.
    type Sum: Copy + Default + Send + Sync + Add<Output = Self::Sum> + Mul<Output = Self::Sum>;
    /// This value, exactly.
    fn widen(self) -> Self::Sum;
}

impl Summand for i8 {
    type Sum = i32;
    fn widen(self) -> i32 {
        i32::from(self)
    }
}

impl Summand for i32 {
    type Sum = i64;
    fn widen(self) -> i64 {
        i64::from(self)
    }
}

/// A float type with the wider one in which its sums are formed.
///
/// f64 and f32 sum in themselves; f16 and bf16 sum in f32 (their products are
/// exact there) and round once, at the end.
pub trait Element: Float + Debug + Default + Summand<Sum = <Self as Element>::Accumulator> {
    /// The type in which sums are formed.
    type Accumulator: Element<Accumulator = Self::Accumulator>;
    /// The nearest value of this type, ties to even.
    fn narrow(accumulator: Self::Accumulator) -> Self;
    /// The nearest value of this type to an f32, ties to even.
    fn from_f32(value: f32) -> Self;
    /// This value as f64, exactly.
    fn to_f64_exact(self) -> f64;
}

macro_rules! element {
    ($type:ty, $accumulator:ty, $widen:expr, $narrow:expr, $from_f32:expr) => {
        impl Summand for $type {
            type Sum = $accumulator;
            fn widen(self) -> $accumulator {
                $widen(self)
            }
        }
        impl Element for $type {
            type Accumulator = $accumulator;
            fn narrow(accumulator: $accumulator) -> Self {
                $narrow(accumulator)
            }
            fn from_f32(value: f32) -> Self {
                $from_f32(value)
            }
            fn to_f64_exact(self) -> f64 {
                f64::from(self)
            }
        }
    };
}

element!(f64, f64, |v| v, |v| v, f64::from);
element!(f32, f32, |v| v, |v| v, |v| v);
element!(f16, f32, f16::to_f32, f16::from_f32, f16::from_f32);
element!(bf16, f32, bf16::to_f32, bf16::from_f32, bf16::from_f32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_rounds_ties_to_even() {
        // 2049 and 2051 lie halfway between neighbours of f16; 257 and 259 of bf16.
        assert_eq!(<f16 as Element>::narrow(2049.0).to_f32(), 2048.0);
        assert_eq!(<f16 as Element>::narrow(2051.0).to_f32(), 2052.0);
        assert_eq!(<bf16 as Element>::narrow(257.0).to_f32(), 256.0);
        assert_eq!(<bf16 as Element>::narrow(259.0).to_f32(), 260.0);
        assert_eq!(<f32 as Element>::narrow(1.5), 1.5);
        assert_eq!(<f64 as Element>::narrow(1.5), 1.5);
    }

    #[test]
    fn widen_and_from_f32_keep_the_value() {
        assert_eq!(f16::from_f32_const(0.5).widen(), 0.5);
        assert_eq!(bf16::from_f32_const(0.5).widen(), 0.5);
        assert_eq!(0.25f32.widen(), 0.25);
        assert_eq!(0.25f64.widen(), 0.25);
        assert_eq!(<f64 as Element>::from_f32(0.25), 0.25);
        assert_eq!(<f32 as Element>::from_f32(0.25), 0.25);
        assert_eq!(<f16 as Element>::from_f32(0.25).to_f64_exact(), 0.25);
        assert_eq!(<bf16 as Element>::from_f32(0.25).to_f64_exact(), 0.25);
        assert_eq!(3.0f32.to_f64_exact(), 3.0);
    }
}
