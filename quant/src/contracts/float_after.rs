//! The zero point added in float32, then rounded half to even: oneDNN.
//!
//! `v = f32(f32(acc·I)·W)`, `v = f32(v + b)`, `code = rne(clamp(f32(f32(v·inv) + z)))`. The
//! factors differ: a reciprocal of a reciprocal is not always the number itself. ReLU in real
//! units is the clamp at z.

use super::arithmetic::float::usable;
use super::channel::Output;
use super::{
    Channel, Class, Contract, ContractError, Evidence, Prepared, Recipe, Requantize, Steps,
};
use crate::scheme::Granularity;

const CONV: Class = Class {
    name: "onednn-conv",
    equal_because: "the x86 engine sends convolutions to oneDNN where the CPU has VNNI",
};

/// `I = rr(s_i)`, `W = F(s_w)`, `inv = f32(1/f32(1/f32(1/s_o)))`, where
/// `rr(s) = f32(1/f32(1/s))`, its inner quotient in float64.
pub(super) const ONEDNN_CONV: Contract = Contract {
    name: "pytorch-onednn-conv",
    class: CONV,
    formula: "rne((acc·rr(si)·F(sw) + b)·inv + z) in float32, rr and inv reciprocals of reciprocals",
    latex: r"\begin{aligned}
        c &= \operatorname{rne}(\operatorname{clamp}((v \otimes (1 \oslash \operatorname{rr}(s_o))) \oplus z)) \\
        v &= ((\hat{a} \otimes \operatorname{rr}(s_i)) \otimes \hat{s}_w) \oplus b
        \end{aligned}",
    version: "torch 2.13.0, AVX512-VNNI",
    source: "pytorch aten/src/ATen/native/quantized/cpu/qconv.cpp",
    evidence: Evidence::Library,
    prepare: |channel| onednn(channel, channel.weight_scale as f32),
};

/// As oneDNN, on a CPU with VNNI.
pub(super) const X86_CONV: Contract = Contract {
    name: "pytorch-x86-conv",
    ..ONEDNN_CONV
};

/// As the convolution, with `W = rr(s_w)` per tensor and `f32(1/f32(1/F(s_w)))` per channel.
pub(super) const ONEDNN_LINEAR: Contract = Contract {
    name: "pytorch-onednn-linear",
    class: Class::alone("onednn-linear"),
    formula: "rne((acc·rr(si)·rr(sw) + b)·inv + z) in float32, rr and inv reciprocals of reciprocals",
    latex: r"\begin{aligned}
        c &= \operatorname{rne}(\operatorname{clamp}((v \otimes (1 \oslash \operatorname{rr}(s_o))) \oplus z)) \\
        v &= ((\hat{a} \otimes \operatorname{rr}(s_i)) \otimes W) \oplus b \\
        W &= \begin{cases} \operatorname{rr}(s_w) & \text{per tensor} \\ \operatorname{rr}(\hat{s}_w) & \text{per channel} \end{cases}
        \end{aligned}",
    prepare: |channel| {
        let weight = match channel.granularity {
            Granularity::PerTensor => twice_inverted(channel.weight_scale),
            Granularity::PerChannel => twice_inverted(f64::from(channel.weight_scale as f32)),
        };
        onednn(channel, weight)
    },
    ..ONEDNN_CONV
};

/// `I = F(s_i)`, `W = F(s_w)`, `inv = f32(1/F(s_o))`; `onednn.qlinear_pointwise` and
/// `onednn.qconv_pointwise` of the PT2E x86 inductor quantizer.
pub(super) const PT2E: Contract = Contract {
    name: "pt2e-x86-inductor",
    class: Class::alone("pt2e-x86-inductor"),
    formula: "rne((acc·si·sw + b)·(1/so) + z) in float32",
    latex: r"\begin{aligned}
        c &= \operatorname{rne}(\operatorname{clamp}((v \otimes (1 \oslash \hat{s}_o)) \oplus z)) \\
        v &= ((\hat{a} \otimes \hat{s}_i) \otimes \hat{s}_w) \oplus b
        \end{aligned}",
    prepare: |channel| {
        let [input, weight, output] = channel.scales_f32();
        after_zero_point(channel, [input, weight, 1.0 / output])
    },
    ..ONEDNN_CONV
};

/// `f32(1/f32(1/s))`, the inner quotient in float64.
fn twice_inverted(scale: f64) -> f32 {
    1.0 / ((1.0 / scale) as f32)
}

fn onednn(channel: &Channel, weight: f32) -> Result<Prepared, ContractError> {
    let output = 1.0 / twice_inverted(channel.output_scale);
    after_zero_point(
        channel,
        [twice_inverted(channel.input_scale), weight, output],
    )
}

fn after_zero_point(channel: &Channel, factors: [f32; 3]) -> Result<Prepared, ContractError> {
    for factor in factors {
        usable(factor, channel.multiplier())?;
    }
    let [input, weight, output_inverse] = factors;
    Ok(Box::new(AfterZeroPoint {
        input,
        weight,
        bias: channel.bias.unwrap_or(0.0),
        output_inverse,
        output: channel.output(),
    }))
}

#[derive(Debug)]
struct AfterZeroPoint {
    input: f32,
    weight: f32,
    bias: f32,
    output_inverse: f32,
    output: Output,
}

impl Requantize for AfterZeroPoint {
    #[inline]
    fn requantize(&self, acc: i32) -> i32 {
        let real = acc as f32 * self.input * self.weight + self.bias;
        let steps = real * self.output_inverse + self.output.zero_point as f32;
        self.output.round(steps)
    }

    fn recipe(&self) -> Option<Recipe> {
        let multipliers = [self.input, self.weight, self.output_inverse];
        (self.bias == 0.0).then(|| self.output.recipe(Steps::MultiplyThenShift { multipliers }))
    }
}
