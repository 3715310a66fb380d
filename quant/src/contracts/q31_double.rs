//! A Q31 multiplier, rounded twice: up, then away from zero.
//!
//! `(q, e) = QuantizeMultiplier(s_i·s_w/s_o)` of the float32 scales in float64;
//! `y = RDBPOT(SRDHM(acc << max(e, 0), q), max(−e, 0))`, `code = clamp(y + z)`.

use std::ops::RangeInclusive;

use super::arithmetic::q31::Multiplier;
use super::arithmetic::shift::shift_right;
use super::channel::Output;
use super::{
    Channel, Class, Contract, ContractError, Evidence, Prepared, Recipe, Requantize, Steps,
};
use crate::Rounding;

const CLASS: Class = Class {
    name: "q31-double",
    equal_because: "the same two functions by other names; TOSA's single sum with ±2^30 is the \
                    nested floor of both roundings",
};

/// int32 bias in the accumulator; CONV_2D and DEPTHWISE_CONV_2D.
pub(super) const LITERT_REFERENCE_CONV: Contract = Contract {
    name: "litert-reference-conv",
    class: CLASS,
    formula: "RDBPOT(SRDHM(acc << max(e,0), q), max(-e,0)) + z, q 31 bits: up, then away",
    latex: r"\begin{aligned}
        c &= \operatorname{clamp}(\operatorname{away}(2^{-\max(-e, 0)} x) + z) \\
        x &= \lfloor 2^{-31} (2^{\max(e, 0)} a q + 2^{30}) \rfloor \\
        (q, e) &= Q_{31}(\hat{s}_i \hat{s}_w / \hat{s}_o)
        \end{aligned}",
    version: "ai-edge-litert 2.3.0",
    source: "LiteRT tflite/kernels/internal/common.cc, quantization_util.cc",
    evidence: Evidence::Library,
    prepare: |channel| double(channel, |_| Ok(())),
};

/// The same in all operators, FULLY_CONNECTED too.
pub(super) const TFLITE_MICRO: Contract = Contract {
    name: "tflite-micro",
    version: "tflite-micro dev20261023",
    ..LITERT_REFERENCE_CONV
};

/// The output stage QuantizeDownInt32ByFixedPoint: it shifts to the right only.
pub(super) const GEMMLOWP: Contract = Contract {
    name: "gemmlowp",
    version: "gemmlowp 16e8662",
    source: "gemmlowp fixedpoint/fixedpoint.h, public/output_stages.h",
    evidence: Evidence::Source,
    prepare: |channel| {
        double(channel, |multiplier| {
            if multiplier.exponent > 0 {
                return Err("the output stage shifts to the right only");
            }
            Ok(())
        })
    },
    ..LITERT_REFERENCE_CONV
};

/// `arm_nn_requantize` as it is built by default.
pub(super) const CMSIS_NN: Contract = Contract {
    name: "cmsis-nn",
    version: "CMSIS-NN 99f736a",
    source: "CMSIS-NN Include/arm_nnsupportfunctions.h",
    evidence: Evidence::Source,
    ..LITERT_REFERENCE_CONV
};

/// RESCALE with scale32 and DOUBLE_ROUND: s = 31 − e, 2 to 62;
/// `(v·q + 2^(s−1) ± 2^30) >> s`, the last term for s > 31 only; v within ±2^(s−1).
pub(super) const TOSA: Contract = Contract {
    name: "tosa-scale32-double",
    class: CLASS,
    formula: "(acc·q + 2^(s-1) ± 2^30) >> s, then + z; q 31 bits, s = 31 - e",
    latex: r"\begin{aligned}
        c &= \operatorname{clamp}(\lfloor 2^{-s} (a q + 2^{s-1} + \sigma 2^{30}) \rfloor + z) \\
        (q, e) &= Q_{31}(\hat{s}_i \hat{s}_w / \hat{s}_o),\quad s = 31 - e \\
        \sigma &= \begin{cases} 0 & s \le 31 \\ 1 & s > 31,\ a \ge 0 \\ -1 & s > 31,\ a < 0 \end{cases}
        \end{aligned}",
    version: "TOSA reference_model 9131f8a",
    source: "reference_model quant_util.h, type_conversion.cpp",
    evidence: Evidence::Source,
    prepare: |channel| {
        channel.without_float_bias()?;
        let multiplier = tosa_multiplier(channel)?;
        let shift = multiplier.total();
        Ok(Box::new(Tosa {
            mantissa: multiplier.mantissa_q31,
            shift,
            half: 1 << (shift - 1),
            second: if shift > 31 { 1 << 30 } else { 0 },
            output: channel.output(),
        }))
    },
};

/// A multiplier whose shift TOSA allows.
pub(super) fn tosa_multiplier(channel: &Channel) -> Result<Multiplier, ContractError> {
    let multiplier = Multiplier::from_real(channel.multiplier_of_f32_scales())?;
    if multiplier.total() < 2 {
        return Err(ContractError::MultiplierTooLarge {
            multiplier: channel.multiplier(),
            why: "TOSA shifts by 2 to 62 bits",
        });
    }
    Ok(multiplier)
}

/// TOSA's range of values: −2^(s−1) to 2^(s−1) − 1.
pub(super) fn tosa_domain(shift: u32) -> RangeInclusive<i32> {
    let spare = 32u32.saturating_sub(shift);
    (i32::MIN >> spare)..=(i32::MAX >> spare)
}

fn double(
    channel: &Channel,
    allow: fn(Multiplier) -> Result<(), &'static str>,
) -> Result<Prepared, ContractError> {
    channel.without_float_bias()?;
    let multiplier = Multiplier::from_real(channel.multiplier_of_f32_scales())?;
    allow(multiplier).map_err(|why| ContractError::MultiplierTooLarge {
        multiplier: channel.multiplier(),
        why,
    })?;
    Ok(Box::new(Double {
        multiplier,
        output: channel.output(),
    }))
}

#[derive(Debug)]
struct Double {
    multiplier: Multiplier,
    output: Output,
}

impl Requantize for Double {
    #[inline]
    fn requantize(&self, acc: i32) -> i32 {
        self.output.code(self.multiplier.double(acc))
    }

    fn domain(&self) -> RangeInclusive<i32> {
        self.multiplier.unshifted()
    }

    fn recipe(&self) -> Option<Recipe> {
        Some(self.output.recipe(Steps::HighProduct {
            mantissa: self.multiplier.mantissa_q31,
            left: self.multiplier.left(),
            right: self.multiplier.right(),
            rounding: Rounding::TiesAwayFromZero,
        }))
    }
}

#[derive(Debug)]
struct Tosa {
    mantissa: i32,
    shift: u32,
    half: i64,
    second: i64,
    output: Output,
}

impl Requantize for Tosa {
    #[inline]
    fn requantize(&self, acc: i32) -> i32 {
        let second = if acc >= 0 {
            self.second
        } else {
            self.second.wrapping_neg()
        };
        let product = i64::from(acc) * i64::from(self.mantissa);
        // |product| is at most 2^62 and the terms are below 2^62 together: nothing wraps.
        let sum = product.wrapping_add(self.half).wrapping_add(second);
        self.output
            .code(shift_right(sum, self.shift, Rounding::Floor))
    }

    fn domain(&self) -> RangeInclusive<i32> {
        tosa_domain(self.shift)
    }

    fn recipe(&self) -> Option<Recipe> {
        Some(self.output.recipe(Steps::ScaleTwice {
            mantissa: self.mantissa,
            shift: self.shift,
        }))
    }
}
