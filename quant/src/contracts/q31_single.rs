//! A Q31 multiplier, rounded once, up.
//!
//! `y = (acc·q + 2^(t−1)) >> t` in int64, t = 31 − e; `code = clamp(y + z)`.

use std::ops::RangeInclusive;

use super::arithmetic::q31::Multiplier;
use super::arithmetic::shift::shift_right;
use super::channel::Output;
use super::q31_double::{tosa_domain, tosa_multiplier};
use super::{Class, Contract, Evidence, Recipe, Requantize, Steps};
use crate::Rounding;

const CLASS: Class = Class {
    name: "q31-single",
    equal_because: "(x >> (t-1) + 1) >> 1 is (x + 2^(t-1)) >> t, as long as int32 holds the \
                    first shift",
};

/// Built with CMSIS_NN_USE_SINGLE_ROUNDING: `((acc·q) >> (t−1) + 1) >> 1`, the first shift
/// cut to int32. Where that wraps is outside of the domain.
pub(super) const CMSIS_NN_SINGLE: Contract = Contract {
    name: "cmsis-nn-single-rounding",
    class: CLASS,
    formula: "((acc·q >> (t-1)) + 1) >> 1, then + z; q 31 bits, t = 31 - e: up",
    latex: r"\begin{aligned}
        c &= \operatorname{clamp}(\lfloor (\lfloor 2^{-(t-1)} a q \rfloor + 1) / 2 \rfloor + z) \\
        (q, e) &= Q_{31}(\hat{s}_i \hat{s}_w / \hat{s}_o),\quad t = 31 - e
        \end{aligned}",
    version: "CMSIS-NN 99f736a",
    source: "CMSIS-NN Include/arm_nnsupportfunctions.h",
    evidence: Evidence::Source,
    prepare: |channel| {
        channel.without_float_bias()?;
        Ok(Box::new(CmsisSingle {
            multiplier: Multiplier::from_real(channel.multiplier_of_f32_scales())?,
            output: channel.output(),
        }))
    },
};

/// RESCALE with scale32 and SINGLE_ROUND; t is 2 to 62, and the value within ±2^(t−1).
pub(super) const TOSA_SINGLE: Contract = Contract {
    name: "tosa-scale32-single",
    class: CLASS,
    formula: "(acc·q + 2^(s-1)) >> s, then + z; q 31 bits, s = 31 - e: up",
    latex: r"\begin{aligned}
        c &= \operatorname{clamp}(\lfloor 2^{-s} (a q + 2^{s-1}) \rfloor + z) \\
        (q, e) &= Q_{31}(\hat{s}_i \hat{s}_w / \hat{s}_o),\quad s = 31 - e
        \end{aligned}",
    version: "TOSA reference_model 9131f8a",
    source: "reference_model quant_util.h, type_conversion.cpp",
    evidence: Evidence::Source,
    prepare: |channel| {
        channel.without_float_bias()?;
        Ok(Box::new(TosaSingle {
            multiplier: tosa_multiplier(channel)?,
            output: channel.output(),
        }))
    },
};

#[derive(Debug)]
struct CmsisSingle {
    multiplier: Multiplier,
    output: Output,
}

impl Requantize for CmsisSingle {
    #[inline]
    fn requantize(&self, acc: i32) -> i32 {
        let product = i64::from(acc) * i64::from(self.multiplier.mantissa_q31);
        // int32 in the source: it wraps.
        let bits = self.multiplier.total().wrapping_sub(1);
        let twice = shift_right(product, bits, Rounding::Floor) as i32;
        self.output.code(i64::from(twice.wrapping_add(1) >> 1))
    }

    fn domain(&self) -> RangeInclusive<i32> {
        let mantissa = i128::from(self.multiplier.mantissa_q31);
        if mantissa == 0 {
            return i32::MIN..=i32::MAX;
        }
        let bits = self.multiplier.total() - 1;
        // Products from −2^31·2^bits on and below (2^31 − 1)·2^bits.
        let low = (i128::from(i32::MIN) << bits) / mantissa;
        let high = ((i128::from(i32::MAX) << bits) - 1) / mantissa;
        let within = |x: i128| x.clamp(i128::from(i32::MIN), i128::from(i32::MAX)) as i32;
        within(low)..=within(high)
    }

    fn recipe(&self) -> Option<Recipe> {
        Some(self.output.recipe(Steps::ScaleThenHalve {
            mantissa: self.multiplier.mantissa_q31,
            shift: self.multiplier.total() - 1,
        }))
    }
}

#[derive(Debug)]
struct TosaSingle {
    multiplier: Multiplier,
    output: Output,
}

impl Requantize for TosaSingle {
    #[inline]
    fn requantize(&self, acc: i32) -> i32 {
        self.output.code(self.multiplier.single(acc))
    }

    fn domain(&self) -> RangeInclusive<i32> {
        tosa_domain(self.multiplier.total())
    }

    fn recipe(&self) -> Option<Recipe> {
        Some(self.output.recipe(Steps::Scale {
            multiplier: self.multiplier.mantissa_q31,
            shift: self.multiplier.total(),
            rounding: Rounding::HalfUp,
        }))
    }
}
