//! GreenWaves NNTool and AutoTiler, scheme SQ8: an 8-bit multiplier and a shift.

use super::arithmetic::float::frexp;
use super::arithmetic::shift::shift_right;
use super::channel::Output;
use super::{
    Channel, Class, Contract, ContractError, Evidence, Prepared, Recipe, Requantize, Steps,
};
use crate::Rounding;

/// `y = AT_NORM(acc'·S, N)`, `AT_NORM(x, n) = (x + 2^(n−1)) >> n` in int32 (the product wraps);
/// `acc' = acc + floor(z·s_o/(s_i·s_w) + ½)`, the zero point as part of the bias;
/// `code = clamp(y)`.
pub(super) const SQ8: Contract = Contract {
    name: "nntool-sq8",
    class: Class::alone("nntool-sq8"),
    formula: "((acc + z')·S + 2^(N-1)) >> N in int32, S 8 bits, z' = floor(z·so/(si·sw) + 1/2): up",
    latex: r"\begin{aligned}
        c &= \operatorname{clamp}(\lfloor 2^{-N} \operatorname{wrap}_{32}((a + z_a) S + 2^{N-1}) \rfloor) \\
        z_a &= \lfloor z s_o / (s_i \hat{s}_w) + \tfrac{1}{2} \rfloor \\
        S &= \lfloor 2^k \hat{f} + \tfrac{1}{2} \rfloor,\quad N = k - e,\quad 2^e f = s_i \hat{s}_w / s_o,\ \tfrac{1}{2} \le f < 1 \\
        k &= \max \{ k \le 8 : S < 256,\ S \text{ odd},\ N \le 24 \}
        \end{aligned}",
    version: "gap_sdk 4.22",
    source: "gap_sdk tools/nntool utils/scale.py, CNN_Libraries_SQ8",
    evidence: Evidence::Source,
    prepare: |channel| sq8(channel, Rounding::HalfUp),
};

/// The same with NORM_ROUND off: AT_NORM is an arithmetic shift.
pub(super) const SQ8_FLOOR: Contract = Contract {
    name: "nntool-sq8-floor",
    class: Class::alone("nntool-sq8-floor"),
    formula: "(acc + z')·S >> N in int32, S 8 bits, z' = floor(z·so/(si·sw) + 1/2): floor",
    latex: r"\begin{aligned}
        c &= \operatorname{clamp}(\lfloor 2^{-N} \operatorname{wrap}_{32}((a + z_a) S) \rfloor) \\
        z_a &= \lfloor z s_o / (s_i \hat{s}_w) + \tfrac{1}{2} \rfloor \\
        S &= \lfloor 2^k \hat{f} + \tfrac{1}{2} \rfloor,\quad N = k - e,\quad 2^e f = s_i \hat{s}_w / s_o,\ \tfrac{1}{2} \le f < 1 \\
        k &= \max \{ k \le 8 : S < 256,\ S \text{ odd},\ N \le 24 \}
        \end{aligned}",
    evidence: Evidence::Source,
    prepare: |channel| sq8(channel, Rounding::Floor),
    ..SQ8
};

/// `Mul_scale` and `Mul_shift`: a factor `scale · 2^−shift`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sq8Scale {
    /// S: 1 to 255, odd unless the search for fewer bits ended early.
    pub scale: u8,
    /// N: 0 to 24.
    pub shift: u32,
}

impl Sq8Scale {
    /// The most bits of S.
    pub const BITS: u32 = 8;

    /// The factor 1.
    pub const ONE: Self = Self { scale: 1, shift: 0 };

    /// Of 8 bits: what NNTool starts with where the accumulator has no more than 23.
    ///
    /// # Errors
    /// A negative shift, or one of more than 24 bits.
    pub fn new(real: f64) -> Result<Self, ContractError> {
        Self::with_bits(real, Self::BITS)
    }

    /// `r = f·2^e`, f cut to float32; `S = floor(f·2^k + ½)`, `N = k − e` with k from `most`
    /// (8 at most) downward while S ≥ 2^most, N > 24 or S is even.
    ///
    /// # Errors
    /// A negative shift, or one of more than 24 bits.
    pub fn with_bits(real: f64, most: u32) -> Result<Self, ContractError> {
        let (fraction, exponent) = frexp(real);
        let fraction = f64::from(fraction as f32);
        let most = most.min(Self::BITS) as i32;
        let mut bits = most;
        loop {
            let scale = (fraction * f64::from(1 << bits) + 0.5).floor() as i32;
            let shift = bits - exponent;
            if (scale >= 1 << most || shift > 24 || scale % 2 == 0) && shift > 0 && bits > 0 {
                bits -= 1;
                continue;
            }
            return match (u8::try_from(scale), u32::try_from(shift)) {
                (Ok(scale), Ok(shift @ ..=24)) => Ok(Self { scale, shift }),
                (_, Ok(_)) if shift > 24 => Err(ContractError::MultiplierTooSmall {
                    multiplier: real,
                    why: "SQ8 shifts by at most 24 bits",
                }),
                _ => Err(ContractError::MultiplierTooLarge {
                    multiplier: real,
                    why: "SQ8 has 8 bits and shifts to the right only",
                }),
            };
        }
    }

    /// `S·2^−N`, exactly.
    pub fn factor(self) -> f64 {
        f64::from(self.scale) / f64::from(1 << self.shift)
    }

    /// `AT_NORM(acc·S, N)` under `rounding`: up on the device, floor with NORM_ROUND off. The
    /// product and the half wrap to int32.
    #[inline]
    pub fn apply(self, acc: i32, rounding: Rounding) -> i32 {
        let product = acc.wrapping_mul(i32::from(self.scale));
        let sum = i64::from(product.wrapping_add(self.half(rounding)));
        // No more than int32 holds.
        shift_right(sum, self.shift, Rounding::Floor) as i32
    }

    /// The same as data, `offset` added to the accumulator.
    pub fn steps(self, offset: i32, rounding: Rounding) -> Steps {
        Steps::Wrapping {
            offset,
            multiplier: self.scale.into(),
            half: self.half(rounding),
            shift: self.shift,
            bits: 32,
        }
    }

    #[inline]
    fn half(self, rounding: Rounding) -> i32 {
        match rounding {
            // 0 where nothing is shifted.
            Rounding::HalfUp => 1i32.wrapping_shl(self.shift) / 2,
            _ => 0,
        }
    }
}

fn sq8(channel: &Channel, rounding: Rounding) -> Result<Prepared, ContractError> {
    channel.without_float_bias()?;
    let weight_scale = f64::from(channel.weight_scale as f32);
    let real = channel.input_scale * weight_scale / channel.output_scale;
    let steps = channel.output_scale / (channel.input_scale * weight_scale);
    let offset = (f64::from(channel.output_zero_point) * steps + 0.5).floor();
    if !(f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&offset) {
        return Err(ContractError::MultiplierTooSmall {
            multiplier: real,
            why: "the zero point in steps of the accumulator leaves int32",
        });
    }
    Ok(Box::new(Sq8 {
        scale: Sq8Scale::new(real)?,
        // Within int32, by the check.
        offset: offset as i32,
        rounding,
        output: Output::new(0, channel.clamp),
    }))
}

#[derive(Debug)]
struct Sq8 {
    scale: Sq8Scale,
    offset: i32,
    rounding: Rounding,
    output: Output,
}

impl Requantize for Sq8 {
    #[inline]
    fn requantize(&self, acc: i32) -> i32 {
        // int32 on the device: it wraps.
        let biased = acc.wrapping_add(self.offset);
        self.output
            .code(i64::from(self.scale.apply(biased, self.rounding)))
    }

    fn recipe(&self) -> Option<Recipe> {
        Some(
            self.output
                .recipe(self.scale.steps(self.offset, self.rounding)),
        )
    }
}
