//! A float graph that plays int8, and the division of the quantization course.

use super::arithmetic::float::usable;
use super::channel::Output;
use super::{
    Channel, Class, Contract, ContractError, Evidence, Prepared, Recipe, Requantize, Steps,
};

/// `code = clamp(rne(f32(x·f32(1/F(s_o)))) + z)`. The x of the real thing is a float sum, no
/// function of the accumulator; here it is `f32(f32(f32(acc)·f32(F(s_i)·F(s_w))) + b)`.
pub(super) const FAKE_QUANTIZE: Contract = Contract {
    name: "fake-quantize",
    class: Class::alone("fake-quantize"),
    formula: "rne((acc·(si·sw) + b)·(1/F(so))) + z in float32",
    latex: r"\begin{aligned}
        c &= \operatorname{clamp}(\operatorname{rne}(x \otimes (1 \oslash \hat{s}_o)) + z) \\
        x &= (\hat{a} \otimes (\hat{s}_i \otimes \hat{s}_w)) \oplus b
        \end{aligned}",
    version: "torch 2.13.0",
    source: "torch.fake_quantize_per_tensor_affine, torch.fake_quantize_per_channel_affine",
    evidence: Evidence::Model,
    prepare: |channel| fake_quantize(channel, 1.0 / channel.output_scale as f32),
};

/// As fake-quantize, with `f32(1/s_o)` of the float64 scale: the quantize operator of the PT2E
/// reference graph.
pub(super) const PT2E_DECOMPOSED: Contract = Contract {
    name: "pt2e-decomposed",
    class: Class::alone("pt2e-decomposed"),
    formula: "rne((acc·(si·sw) + b)·f32(1/so)) + z in float32",
    latex: r"\begin{aligned}
        c &= \operatorname{clamp}(\operatorname{rne}(x \otimes \operatorname{f32}(1 / s_o)) + z) \\
        x &= (\hat{a} \otimes (\hat{s}_i \otimes \hat{s}_w)) \oplus b
        \end{aligned}",
    source: "torch.ops.quantized_decomposed.quantize_per_tensor",
    prepare: |channel| fake_quantize(channel, (1.0 / channel.output_scale) as f32),
    ..FAKE_QUANTIZE
};

/// `code = clamp(rne(f32(f32(acc)/F(d))) + z)`, `d = s_o/(s_i·s_w)`: the divisor s_Oi of the
/// relative convention, eq. 6 and 7. Give that divisor as the output scale and 1 for the others.
pub(super) const DIVISION: Contract = Contract {
    name: "float32-division",
    class: Class::alone("float32-division"),
    formula: "rne(acc / F(so/(si·sw))) + z, a true float32 division",
    latex: r"\begin{aligned}
        c &= \operatorname{clamp}(\operatorname{rne}(\hat{a} \oslash \hat{d}) + z) \\
        d &= s_o / (s_i s_w)
        \end{aligned}",
    version: "torch 2.13.0, CPU",
    source: "torch.round(acc / d); docs/quantization.md",
    evidence: Evidence::Source,
    prepare: |channel| {
        channel.without_float_bias()?;
        let divisor = channel.output_scale / (channel.input_scale * channel.weight_scale);
        Ok(Box::new(Division {
            divisor: usable(divisor as f32, channel.multiplier())?,
            output: channel.output(),
        }))
    },
};

fn fake_quantize(channel: &Channel, output_inverse: f32) -> Result<Prepared, ContractError> {
    let [input, weight, _] = channel.scales_f32();
    Ok(Box::new(FakeQuantize {
        product: usable(input * weight, channel.multiplier())?,
        bias: channel.bias.unwrap_or(0.0),
        output_inverse: usable(output_inverse, channel.multiplier())?,
        output: channel.output(),
    }))
}

#[derive(Debug)]
struct FakeQuantize {
    product: f32,
    bias: f32,
    output_inverse: f32,
    output: Output,
}

impl Requantize for FakeQuantize {
    #[inline]
    fn requantize(&self, acc: i32) -> i32 {
        let real = acc as f32 * self.product + self.bias;
        self.output.round_then_add(real * self.output_inverse)
    }

    fn recipe(&self) -> Option<Recipe> {
        let multipliers = [self.product, self.output_inverse];
        (self.bias == 0.0).then(|| self.output.recipe(Steps::MultiplyTwice { multipliers }))
    }
}

#[derive(Debug)]
struct Division {
    divisor: f32,
    output: Output,
}

impl Requantize for Division {
    #[inline]
    fn requantize(&self, acc: i32) -> i32 {
        self.output.round_then_add(acc as f32 / self.divisor)
    }

    fn recipe(&self) -> Option<Recipe> {
        let divisor = self.divisor;
        Some(self.output.recipe(Steps::Divide { divisor }))
    }
}
