//! A float64 product, rounded half away from zero.

use super::arithmetic::float::integer;
use super::channel::Output;
use super::{Class, Contract, Evidence, Recipe, Requantize, Steps};
use crate::Rounding;

/// `y = away(acc·(s_i·s_w/s_o))`, all in float64, from the float32 scales; `code = clamp(y + z)`.
pub(super) const LITERT_REFERENCE_FC: Contract = Contract {
    name: "litert-reference-fc",
    class: Class::alone("float64-away"),
    formula: "away(acc·m) + z, m = si·sw/so in float64",
    latex: r"\begin{aligned}
        c &= \operatorname{clamp}(\operatorname{away}(a m) + z) \\
        m &= \hat{s}_i \hat{s}_w / \hat{s}_o \quad \text{both in float64}
        \end{aligned}",
    version: "ai-edge-litert 2.3.0",
    source: "LiteRT tflite/kernels/internal/reference/integer_ops/fully_connected.h",
    evidence: Evidence::Library,
    prepare: |channel| {
        channel.without_float_bias()?;
        Ok(Box::new(DoubleAway {
            multiplier: channel.multiplier_of_f32_scales(),
            output: channel.output(),
        }))
    },
};

#[derive(Debug)]
struct DoubleAway {
    multiplier: f64,
    output: Output,
}

impl Requantize for DoubleAway {
    #[inline]
    fn requantize(&self, acc: i32) -> i32 {
        let rounded = (f64::from(acc) * self.multiplier).round();
        // Beyond every code and exact in float32.
        let within = rounded.clamp(-1024.0, 1024.0) as f32;
        self.output.code(i64::from(integer(within)))
    }

    fn recipe(&self) -> Option<Recipe> {
        Some(self.output.recipe(Steps::MultiplyDouble {
            multiplier: self.multiplier,
            rounding: Rounding::TiesAwayFromZero,
        }))
    }
}
