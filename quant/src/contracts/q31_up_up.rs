//! A Q31 multiplier, rounded up twice: LiteRT's optimized kernels (ruy), without a delegate.
//!
//! `y = (SRDHM(acc << max(e, 0), q) + 2^(r−1)) >> r`, r = max(−e, 0); `code = clamp(y + z)`.

use std::ops::RangeInclusive;

use super::arithmetic::float::usable;
use super::arithmetic::q31::Multiplier;
use super::channel::Output;
use super::{
    Channel, Class, Contract, ContractError, Evidence, Prepared, Recipe, Requantize, Steps,
};
use crate::Rounding;

/// The multiplier of the reference kernels: convolutions, and fully connected layers with a
/// scale for each channel.
pub(super) const LITERT_OPTIMIZED: Contract = Contract {
    name: "litert-optimized",
    class: Class::alone("q31-up-up"),
    formula: "(SRDHM(acc << max(e,0), q) + 2^(r-1)) >> r, then + z; q 31 bits: up twice",
    latex: r"\begin{aligned}
        c &= \operatorname{clamp}(\lfloor 2^{-r} (x + 2^{r-1}) \rfloor + z),\quad r = \max(-e, 0) \\
        x &= \lfloor 2^{-31} (2^{\max(e, 0)} a q + 2^{30}) \rfloor \\
        (q, e) &= Q_{31}(\hat{s}_i \hat{s}_w / \hat{s}_o)
        \end{aligned}",
    version: "ai-edge-litert 2.3.0",
    source: "LiteRT tflite/kernels/internal; ruy/apply_multiplier.cc",
    evidence: Evidence::Library,
    prepare: |channel| up_up(channel, channel.multiplier_of_f32_scales()),
};

/// Fully connected, one weight scale: `s_i·s_w` is a float32 product there.
pub(super) const LITERT_OPTIMIZED_FC: Contract = Contract {
    name: "litert-optimized-fc-per-tensor",
    class: Class::alone("q31-up-up-f32-product"),
    formula: "(SRDHM(acc << max(e,0), q) + 2^(r-1)) >> r, then + z; q of f32(si·sw)/so: up twice",
    latex: r"\begin{aligned}
        c &= \operatorname{clamp}(\lfloor 2^{-r} (x + 2^{r-1}) \rfloor + z),\quad r = \max(-e, 0) \\
        x &= \lfloor 2^{-31} (2^{\max(e, 0)} a q + 2^{30}) \rfloor \\
        (q, e) &= Q_{31}((\hat{s}_i \otimes \hat{s}_w) / \hat{s}_o)
        \end{aligned}",
    prepare: |channel| {
        let [input, weight, output] = channel.scales_f32();
        let product = usable(input * weight, channel.multiplier())?;
        up_up(channel, f64::from(product) / f64::from(output))
    },
    ..LITERT_OPTIMIZED
};

fn up_up(channel: &Channel, real: f64) -> Result<Prepared, ContractError> {
    channel.without_float_bias()?;
    Ok(Box::new(UpUp {
        multiplier: Multiplier::from_real(real)?,
        output: channel.output(),
    }))
}

#[derive(Debug)]
struct UpUp {
    multiplier: Multiplier,
    output: Output,
}

impl Requantize for UpUp {
    #[inline]
    fn requantize(&self, acc: i32) -> i32 {
        self.output.code(self.multiplier.up_up(acc))
    }

    fn domain(&self) -> RangeInclusive<i32> {
        self.multiplier.unshifted()
    }

    fn recipe(&self) -> Option<Recipe> {
        Some(self.output.recipe(Steps::HighProduct {
            mantissa: self.multiplier.mantissa_q31,
            left: self.multiplier.left(),
            right: self.multiplier.right(),
            rounding: Rounding::HalfUp,
        }))
    }
}
