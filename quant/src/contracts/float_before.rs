//! Rounded half to even, then the zero point: one float32 multiplier.
//!
//! `m = f32(f32(F(s_i)·F(s_w)) / F(s_o))`, `y = rne(f32(f32(acc)·m))`, `code = clamp(y + z)`.

use std::fmt;
use std::ops::RangeInclusive;

use super::arithmetic::float::{integer, usable};
use super::channel::Output;
use super::{
    Channel, Class, Contract, ContractError, Evidence, Prepared, Recipe, Requantize, Steps,
};
use crate::scheme::Granularity;

const CLASS: Class = Class {
    name: "float-before-zero-point",
    equal_because: "one float32 multiplier, formed in one order; clamping before rounding, \
                    after it, or after a saturation to int16 is the same for a monotone rounding \
                    and bounds that are integers within int16",
};

/// `rne(f32(acc·m))` to int32, saturated to int16, the zero point, the clamp; ReLU clamps at
/// the zero point. A float bias b is added to the accumulator, with `atw = f32(F(s_i)·F(s_w))`:
/// per tensor `fma(b, f32(1/atw), acc)`, per channel `f32(acc + f32(b/atw))`.
pub(super) const FBGEMM: Contract = Contract {
    name: "pytorch-fbgemm",
    class: CLASS,
    formula: "rne(acc·m) + z, m = si·sw/so in float32; float bias onto the accumulator",
    latex: r"\begin{aligned}
        c &= \operatorname{clamp}(\operatorname{sat}_{16}(\operatorname{rne}(u \otimes m)) + z) \\
        m &= (\hat{s}_i \otimes \hat{s}_w) \oslash \hat{s}_o \\
        u &= \begin{cases} \operatorname{f32}(\hat{a} + b \cdot (1 \oslash (\hat{s}_i \otimes \hat{s}_w))) & \text{per tensor} \\ \hat{a} \oplus (b \oslash (\hat{s}_i \otimes \hat{s}_w)) & \text{per channel} \end{cases}
        \end{aligned}",
    version: "torch 2.13.0",
    source: "FBGEMM src/QuantUtilsAvx2.cc",
    evidence: Evidence::Library,
    prepare: fbgemm,
};

/// As fbgemm: the x86 engine sends linear layers there.
pub(super) const X86_LINEAR: Contract = Contract {
    name: "pytorch-x86-linear",
    ..FBGEMM
};

/// The clamp, less the zero point, is applied to the float; then rne, then the zero point.
pub(super) const ORT: Contract = Contract {
    name: "onnxruntime-qlinear",
    class: CLASS,
    formula: "rne(clamp(acc·m)) + z, m = si·sw/so in float32; QLinearConv, QLinearMatMul, QGemm, fused QDQ",
    latex: r"\begin{aligned}
        c &= \operatorname{rne}(\min(\max(\hat{a} \otimes m, l - z), h - z)) + z \\
        m &= (\hat{s}_i \otimes \hat{s}_w) \oslash \hat{s}_o
        \end{aligned}",
    version: "onnxruntime 1.31.1",
    source: "microsoft/onnxruntime onnxruntime/core/mlas",
    evidence: Evidence::Library,
    prepare: clamped,
};

/// The same; minimum in float before rne, maximum after.
pub(super) const XNNPACK: Contract = Contract {
    name: "litert-xnnpack",
    class: CLASS,
    formula: "rne(min(acc·m)) + z, m = si·sw/so in float32; LiteRT's default",
    latex: r"\begin{aligned}
        c &= \max(\operatorname{rne}(\min(\hat{a} \otimes m, h - z)) + z, l) \\
        m &= (\hat{s}_i \otimes \hat{s}_w) \oslash \hat{s}_o
        \end{aligned}",
    version: "ai-edge-litert 2.3.0",
    source: "google/XNNPACK src/microparams-init.c",
    evidence: Evidence::Library,
    prepare: clamped,
};

/// `m = f32(f32(F(s_w)·F(s_i)) · f32(1/F(s_o)))`; a float bias becomes the int32
/// `rne(f32(b·f32(1/F(s_w·s_i))))`, its scale product in float64.
pub(super) const QNNPACK: Contract = Contract {
    name: "pytorch-qnnpack",
    class: Class::alone("float-reciprocal-before-zero-point"),
    formula: "rne(acc·m) + z, m = (sw·si)·(1/so) in float32; int32 bias",
    latex: r"\begin{aligned}
        c &= \operatorname{clamp}(\operatorname{sat}_{16}(\operatorname{rne}(\operatorname{f32}(a + b_q) \otimes m)) + z) \\
        m &= (\hat{s}_w \otimes \hat{s}_i) \otimes (1 \oslash \hat{s}_o) \\
        b_q &= \operatorname{rne}(b \otimes (1 \oslash \operatorname{f32}(s_w s_i)))
        \end{aligned}",
    version: "torch 2.13.0",
    source: "pytorch aten/src/ATen/native/quantized/cpu/QnnpackUtils.h",
    evidence: Evidence::Library,
    prepare: qnnpack,
};

fn fbgemm(channel: &Channel) -> Result<Prepared, ContractError> {
    let [input, weight, _] = channel.scales_f32();
    let product = usable(input * weight, channel.multiplier())?;
    let multiplier = usable(channel.multiplier_f32(), channel.multiplier())?;
    Ok(match (channel.bias, channel.granularity) {
        (None, _) => packed(channel, multiplier, Within),
        (Some(bias), Granularity::PerTensor) => {
            packed(channel, multiplier, Fused(bias, 1.0 / product))
        }
        (Some(bias), Granularity::PerChannel) => packed(channel, multiplier, Added(bias / product)),
    })
}

fn qnnpack(channel: &Channel) -> Result<Prepared, ContractError> {
    let [input, weight, output] = channel.scales_f32();
    let multiplier = usable(weight * input * (1.0 / output), channel.multiplier())?;
    let Some(bias) = channel.bias else {
        return Ok(packed(channel, multiplier, Within));
    };
    let product = (channel.weight_scale * channel.input_scale) as f32;
    let code = (bias * (1.0 / product)).round_ties_even();
    // 2³¹ as a float; NaN fails as well.
    if !(-(2f32.powi(31))..2f32.powi(31)).contains(&code) {
        return Err(ContractError::BiasOverflow(bias));
    }
    Ok(packed(channel, multiplier, Integer(code as i32)))
}

fn clamped(channel: &Channel) -> Result<Prepared, ContractError> {
    channel.without_float_bias()?;
    Ok(Box::new(Clamped {
        multiplier: usable(channel.multiplier_f32(), channel.multiplier())?,
        output: channel.output(),
    }))
}

/// How the bias meets the accumulator. A type each, so that a loop has no branch for it.
trait Bias: Copy + fmt::Debug + Send + Sync + 'static {
    /// Accumulator and bias, in steps of the accumulator.
    fn add(self, acc: i32) -> f32;

    /// What is added.
    fn steps(self) -> f64;

    /// Whether none is added here.
    fn is_within(self) -> bool {
        false
    }
}

/// There is none, or it is in the accumulator already.
#[derive(Clone, Copy, Debug)]
struct Within;

impl Bias for Within {
    #[inline]
    fn add(self, acc: i32) -> f32 {
        acc as f32
    }

    fn steps(self) -> f64 {
        0.0
    }

    fn is_within(self) -> bool {
        true
    }
}

/// `fma(b, 1/atw, acc)`.
#[derive(Clone, Copy, Debug)]
struct Fused(f32, f32);

impl Bias for Fused {
    #[inline]
    fn add(self, acc: i32) -> f32 {
        self.0.mul_add(self.1, acc as f32)
    }

    fn steps(self) -> f64 {
        f64::from(self.0) * f64::from(self.1)
    }
}

/// In steps of the accumulator, unrounded.
#[derive(Clone, Copy, Debug)]
struct Added(f32);

impl Bias for Added {
    #[inline]
    fn add(self, acc: i32) -> f32 {
        acc as f32 + self.0
    }

    fn steps(self) -> f64 {
        f64::from(self.0)
    }
}

/// A code. int32 sums wrap; bounded layers never do.
#[derive(Clone, Copy, Debug)]
struct Integer(i32);

impl Bias for Integer {
    #[inline]
    fn add(self, acc: i32) -> f32 {
        acc.wrapping_add(self.0) as f32
    }

    fn steps(self) -> f64 {
        f64::from(self.0)
    }
}

fn packed(channel: &Channel, multiplier: f32, bias: impl Bias) -> Prepared {
    Box::new(Packed {
        multiplier,
        bias,
        output: channel.output(),
    })
}

#[derive(Debug)]
struct Packed<B> {
    multiplier: f32,
    bias: B,
    output: Output,
}

impl<B: Bias> Requantize for Packed<B> {
    #[inline]
    fn requantize(&self, acc: i32) -> i32 {
        let rounded = (self.bias.add(acc) * self.multiplier).round_ties_even();
        // cvtps2dq: what int32 does not hold becomes its lowest value. Then to int16.
        let saturated = match (-(2f32.powi(31))..2f32.powi(31)).contains(&rounded) {
            true => rounded.max(f32::from(i16::MIN)).min(f32::from(i16::MAX)),
            false => f32::from(i16::MIN),
        };
        // The second saturation to int16 lies outside of every clamp.
        self.output.code(i64::from(integer(saturated)))
    }

    /// Where the product stays within int32, which other CPUs convert otherwise.
    fn domain(&self) -> RangeInclusive<i32> {
        // Sum and product are rounded to float32, the fused inverse as well.
        let roundings = 1.0 - 4.0 * f64::from(f32::EPSILON);
        let most = 2f64.powi(31) / f64::from(self.multiplier) * roundings - self.bias.steps().abs();
        // `as` saturates.
        let most = most.max(0.0) as i32;
        match most {
            i32::MAX => i32::MIN..=most,
            _ => -most..=most,
        }
    }

    fn recipe(&self) -> Option<Recipe> {
        let multiplier = self.multiplier;
        (self.bias.is_within()).then(|| self.output.recipe(Steps::MultiplySaturated { multiplier }))
    }
}

#[derive(Debug)]
struct Clamped {
    multiplier: f32,
    output: Output,
}

impl Requantize for Clamped {
    #[inline]
    fn requantize(&self, acc: i32) -> i32 {
        self.output.round_then_add(acc as f32 * self.multiplier)
    }

    fn recipe(&self) -> Option<Recipe> {
        let multiplier = self.multiplier;
        Some(self.output.recipe(Steps::Multiply { multiplier }))
    }
}
