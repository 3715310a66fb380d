//! XNNPACK rndnu: the 24-bit mantissa of a float32 multiplier, rounded once, up.

use super::arithmetic::shift::shift_right;
use super::channel::Output;
use super::{Channel, Class, Contract, ContractError, Evidence, Recipe, Requantize, Steps};
use crate::Rounding;

/// `m = f32(f32(F(s_i)·F(s_w)) / F(s_o)) = mant·2^−s`, mant of 24 bits, s = 150 − exponent field;
/// `y = (acc·mant + 2^(s−1)) >> s`, `code = clamp(y + z)`. Quantized uint8 and per-tensor int8
/// kernels on ARM.
pub(super) const RNDNU: Contract = Contract {
    name: "xnnpack-rndnu",
    class: Class::alone("xnnpack-rndnu"),
    formula: "(acc·mant + 2^(s-1)) >> s, then + z; mant the 24 bits of m in float32: up",
    latex: r"\begin{aligned}
        c &= \operatorname{clamp}(\lfloor 2^{-s} (a \mu + 2^{s-1}) \rfloor + z) \\
        2^{-s} \mu &= (\hat{s}_i \otimes \hat{s}_w) \oslash \hat{s}_o,\quad 2^{23} \le \mu < 2^{24}
        \end{aligned}",
    version: "XNNPACK 75db3c0, ARM",
    source: "google/XNNPACK src/microparams-init.c",
    evidence: Evidence::Source,
    prepare: |channel| {
        channel.without_float_bias()?;
        let (mantissa, shift) = mantissa_and_shift(channel)?;
        Ok(Box::new(Rndnu {
            mantissa,
            shift,
            output: channel.output(),
        }))
    },
};

fn mantissa_and_shift(channel: &Channel) -> Result<(i32, u32), ContractError> {
    const IMPLICIT: u32 = 1 << 23;
    let multiplier = channel.multiplier();
    let bits = channel.multiplier_f32().to_bits();
    let mantissa = (bits & (IMPLICIT - 1) | IMPLICIT) as i32;
    // The field of a positive float32; 0 of a subnormal one, 255 of infinity.
    match 150 - (bits >> 23) as i32 {
        shift @ 1..=62 => Ok((mantissa, shift as u32)),
        ..=0 => Err(ContractError::MultiplierTooLarge {
            multiplier,
            why: "rndnu shifts to the right only",
        }),
        _ => Err(ContractError::MultiplierTooSmall {
            multiplier,
            why: "the shift leaves int64",
        }),
    }
}

#[derive(Debug)]
struct Rndnu {
    mantissa: i32,
    shift: u32,
    output: Output,
}

impl Requantize for Rndnu {
    #[inline]
    fn requantize(&self, acc: i32) -> i32 {
        let product = i64::from(acc) * i64::from(self.mantissa);
        self.output
            .code(shift_right(product, self.shift, Rounding::HalfUp))
    }

    fn recipe(&self) -> Option<Recipe> {
        Some(self.output.recipe(Steps::Scale {
            multiplier: self.mantissa,
            shift: self.shift,
            rounding: Rounding::HalfUp,
        }))
    }
}
