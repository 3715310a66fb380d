//! A prepared contract as data: for whoever writes it in another language.

use super::Clamp;
use super::channel::Output;
use crate::Rounding;

/// What a contract computes of an accumulator, with its constants: `code = clamp(y + z)`, y the
/// number of output steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// y.
    pub steps: Steps,
    /// z; 0 where the steps have it in them.
    pub zero_point: i32,
    /// The codes there are.
    pub clamp: Clamp,
}

/// From an accumulator a to a number of output steps. Every contract is one of these with
/// constants of its own; ⊗, ⊕ and ⊘ are those of [`SYMBOLS`](super::SYMBOLS).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Steps {
    /// `rne(f32(a) ⊗ m)`.
    Multiply {
        /// m.
        multiplier: f32,
    },
    /// The same, saturated to int16; what int32 does not hold becomes the lowest value.
    MultiplySaturated {
        /// m.
        multiplier: f32,
    },
    /// `rne((f32(a) ⊗ m) ⊗ n)`.
    MultiplyTwice {
        /// m, n.
        multipliers: [f32; 2],
    },
    /// `rne((((f32(a) ⊗ l) ⊗ m) ⊗ n) ⊕ z) − z`: the zero point is added before rounding.
    MultiplyThenShift {
        /// l, m, n.
        multipliers: [f32; 3],
    },
    /// `rne(f32(a) ⊘ d)`.
    Divide {
        /// d.
        divisor: f32,
    },
    /// `round(a · m)` in float64.
    MultiplyDouble {
        /// m.
        multiplier: f64,
        /// To even, or away from zero.
        rounding: Rounding,
    },
    /// `⌊(a·q + half) / 2^s⌋` in int64: half is 2^(s−1), or 0 for the floor.
    Scale {
        /// q.
        multiplier: i32,
        /// s, 0 to 62.
        shift: u32,
        /// Up, or the floor.
        rounding: Rounding,
    },
    /// `round(SRDHM(a << left, q) / 2^right)`, the left shift cut to int32.
    /// SRDHM(x, q) = `⌊(x·q + 2^30) / 2^31⌋`, saturated to int32.
    HighProduct {
        /// q.
        mantissa: i32,
        /// 0 to 30.
        left: u32,
        /// 0 to 31.
        right: u32,
        /// Up, or away from zero.
        rounding: Rounding,
    },
    /// `⌊(a·q + 2^(s−1) + σ) / 2^s⌋` in int64: σ is 0 where s ≤ 31, else 2^30 with the sign of a,
    /// 0 counted as positive.
    ScaleTwice {
        /// q.
        mantissa: i32,
        /// s, 2 to 62.
        shift: u32,
    },
    /// `⌊(int32(⌊a·q / 2^s⌋) + 1) / 2⌋`, int32 and the sum cut to int32.
    ScaleThenHalve {
        /// q.
        mantissa: i32,
        /// s, 0 to 61.
        shift: u32,
    },
    /// `int(⌊((a + offset)·q + half) / 2^s⌋)`: every sum and product cut to int32, the result to
    /// `bits`.
    Wrapping {
        /// Added to the accumulator.
        offset: i32,
        /// q.
        multiplier: i32,
        /// Added to the product: 2^(s−1) rounds up, 0 is the floor.
        half: i32,
        /// s, 0 to 31.
        shift: u32,
        /// 16, or 32.
        bits: u32,
    },
}

/// `clamp(((acc·multiplier + addend) >> shift) + z)`, the product in 64 bits and the shift
/// arithmetic: what hardware computes without a float.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MultiplyShift {
    /// Of the accumulator.
    pub multiplier: i32,
    /// Half a step, where it rounds.
    pub addend: i64,
    /// To the right, 0 to 62.
    pub shift: u32,
}

impl Recipe {
    /// The same as one integer product and a shift, where it is one for every accumulator.
    pub fn multiply_shift(&self) -> Option<MultiplyShift> {
        let Steps::Scale {
            multiplier,
            shift,
            rounding,
        } = self.steps
        else {
            return None;
        };
        Some(MultiplyShift {
            multiplier,
            addend: match rounding {
                Rounding::Floor => 0,
                // Nothing is shifted out where the shift is 0.
                _ => (1i64 << shift) >> 1,
            },
            shift,
        })
    }
}

impl Output {
    /// The recipe that ends so.
    pub(super) fn recipe(self, steps: Steps) -> Recipe {
        Recipe {
            steps,
            zero_point: self.zero_point,
            clamp: self.clamp,
        }
    }
}
