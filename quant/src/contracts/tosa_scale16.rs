//! TOSA RESCALE with a 16-bit multiplier.

use super::arithmetic::float::frexp;
use super::arithmetic::shift::shift_right;
use super::channel::Output;
use super::{Channel, Class, Contract, ContractError, Evidence, Recipe, Requantize, Steps};
use crate::Rounding;

/// `y = (v·q + 2^(s−1)) >> s`, q of 15 bits, s from 2 to 62, v of up to 48 bits;
/// `code = clamp(y + z)`. `m = f·2^e`, q = away(f·2^15), s = 15 − e; 2^15 becomes 2^14 with e + 1.
pub(super) const TOSA_SCALE16: Contract = Contract {
    name: "tosa-scale16",
    class: Class::alone("tosa-scale16"),
    formula: "(acc·q + 2^(s-1)) >> s, then + z; q 15 bits, s = 15 - e: up",
    latex: r"\begin{aligned}
        c &= \operatorname{clamp}(\lfloor 2^{-s} (a q + 2^{s-1}) \rfloor + z) \\
        (q, e) &= Q_{15}(\hat{s}_i \hat{s}_w / \hat{s}_o),\quad s = 15 - e
        \end{aligned}",
    version: "TOSA reference_model 9131f8a",
    source: "reference_model quant_util.h, type_conversion.cpp",
    evidence: Evidence::Source,
    prepare: |channel| {
        channel.without_float_bias()?;
        let (multiplier, shift) = multiplier_and_shift(channel)?;
        Ok(Box::new(Scale16 {
            multiplier,
            shift,
            output: channel.output(),
        }))
    },
};

/// `(value·multiplier + 2^(shift−1)) >> shift`: `value` of 48 bits at most, `shift` 2 to 62.
#[inline]
pub fn rescale(value: i64, multiplier: i16, shift: u32) -> i64 {
    // 48 and 16 bits: within int64. Wrapping, so that a wider value does not panic.
    shift_right(
        value.wrapping_mul(i64::from(multiplier)),
        shift,
        Rounding::HalfUp,
    )
}

fn multiplier_and_shift(channel: &Channel) -> Result<(i16, u32), ContractError> {
    let multiplier = channel.multiplier();
    let (fraction, exponent) = frexp(channel.multiplier_of_f32_scales());
    let mantissa = (fraction * 2f64.powi(15)).round();
    let (mantissa, exponent) = if mantissa == 2f64.powi(15) {
        (mantissa / 2.0, exponent + 1)
    } else {
        (mantissa, exponent)
    };
    match 15 - exponent {
        // The mantissa is below 2^15.
        shift @ 2..=62 => Ok((mantissa as i16, shift as u32)),
        ..=1 => Err(ContractError::MultiplierTooLarge {
            multiplier,
            why: "TOSA shifts by 2 to 62 bits",
        }),
        _ => Err(ContractError::MultiplierTooSmall {
            multiplier,
            why: "TOSA shifts by 2 to 62 bits",
        }),
    }
}

#[derive(Debug)]
struct Scale16 {
    multiplier: i16,
    shift: u32,
    output: Output,
}

impl Requantize for Scale16 {
    #[inline]
    fn requantize(&self, acc: i32) -> i32 {
        self.output
            .code(rescale(i64::from(acc), self.multiplier, self.shift))
    }

    fn recipe(&self) -> Option<Recipe> {
        Some(self.output.recipe(Steps::Scale {
            multiplier: self.multiplier.into(),
            shift: self.shift,
            rounding: Rounding::HalfUp,
        }))
    }
}
