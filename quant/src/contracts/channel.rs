//! What a requantization is given: one output channel.

use super::ContractError;
use super::arithmetic::float::integer;
use crate::scheme::Granularity;

/// The scales and codes around the accumulators of one output channel.
///
/// An accumulator is `Σ (x_q − z_x)(w_q − z_w)`, plus the integer bias where there is one:
/// input and weight zero points are in it already.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Channel {
    /// Real size of an input step. Frameworks that keep float32 round it.
    pub input_scale: f64,
    /// Real size of a weight step of this channel.
    pub weight_scale: f64,
    /// Real size of an output step.
    pub output_scale: f64,
    /// The output code that stands for 0, −128 to 255.
    pub output_zero_point: i32,
    /// The codes there are, after the activation.
    pub clamp: Clamp,
    /// A bias in real units, for contracts that add it as a float or make its code. None where
    /// there is no bias or its code is in the accumulator.
    pub bias: Option<f32>,
    /// Whether the weights have one scale: PyTorch's float bias and oneDNN's factors depend
    /// on it.
    pub granularity: Granularity,
}

/// The lowest and the highest output code, both within −128 to 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clamp {
    /// Lowest code; the zero point where a ReLU follows.
    pub low: i32,
    /// Highest code.
    pub high: i32,
}

impl Clamp {
    /// −128 to 127.
    pub const INT8: Self = Self {
        low: -128,
        high: 127,
    };
    /// 0 to 255.
    pub const UINT8: Self = Self { low: 0, high: 255 };
}

impl Clamp {
    /// Whether it is a range of int8 or uint8 codes.
    pub(super) fn check(self) -> Result<(), ContractError> {
        let Self { low, high } = self;
        match low > high || low < -128 || high > 255 {
            true => Err(ContractError::Clamp { low, high }),
            false => Ok(()),
        }
    }
}

/// Whether float32 holds a scale; `which` names it in the error.
pub(super) fn check_scale(which: &'static str, value: f64) -> Result<(), ContractError> {
    let single = value as f32;
    match single > 0.0 && single.is_finite() {
        true => Ok(()),
        false => Err(ContractError::Scale { which, value }),
    }
}

/// Whether it is a code of int8 or uint8.
pub(super) fn check_zero_point(zero_point: i32) -> Result<(), ContractError> {
    match (-128..=255).contains(&zero_point) {
        true => Ok(()),
        false => Err(ContractError::ZeroPoint(zero_point)),
    }
}

impl Channel {
    /// int8 codes, per tensor, no float bias.
    pub fn int8(
        input_scale: f64,
        weight_scale: f64,
        output_scale: f64,
        output_zero_point: i32,
    ) -> Self {
        Self {
            input_scale,
            weight_scale,
            output_scale,
            output_zero_point,
            clamp: Clamp::INT8,
            bias: None,
            granularity: Granularity::PerTensor,
        }
    }

    /// A channel whose multiplier is `multiplier`: both other scales are 1.
    pub fn of_multiplier(multiplier: f64, output_zero_point: i32) -> Self {
        Self::int8(multiplier, 1.0, 1.0, output_zero_point)
    }

    /// `output_scale / (input_scale · weight_scale)`, formed in float64, as the float32 that
    /// divides in the relative convention (eq. 6).
    pub fn divisor(&self) -> f32 {
        (self.output_scale / (self.input_scale * self.weight_scale)) as f32
    }

    /// `input_scale · weight_scale / output_scale` in float64, of the scales as they are given.
    pub fn multiplier(&self) -> f64 {
        self.input_scale * self.weight_scale / self.output_scale
    }

    /// A float bias in steps of the accumulator, unrounded; 0 where there is none.
    pub(super) fn bias_steps(&self) -> f64 {
        self.bias.map_or(0.0, |bias| {
            f64::from(bias) / (self.input_scale * self.weight_scale)
        })
    }

    /// The same of the float32 scales: the product is exact, the division rounds once.
    pub(super) fn multiplier_of_f32_scales(&self) -> f64 {
        let [input, weight, output] = self.scales_f32().map(f64::from);
        input * weight / output
    }

    /// `f32(f32(F(s_i)·F(s_w)) / F(s_o))`: the multiplier of fbgemm, ONNX Runtime and XNNPACK.
    pub(super) fn multiplier_f32(&self) -> f32 {
        let [input, weight, output] = self.scales_f32();
        input * weight / output
    }

    /// F(s_i), F(s_w), F(s_o).
    pub(super) fn scales_f32(&self) -> [f32; 3] {
        [self.input_scale, self.weight_scale, self.output_scale].map(|scale| scale as f32)
    }

    /// Whether this is a channel at all; every contract asks.
    ///
    /// # Errors
    /// A scale that is not positive and finite in float32, a clamp or zero point outside of
    /// −128 to 255, a bias that is not finite.
    pub fn check(&self) -> Result<(), ContractError> {
        for (which, value) in [
            ("input", self.input_scale),
            ("weight", self.weight_scale),
            ("output", self.output_scale),
        ] {
            check_scale(which, value)?;
        }
        self.clamp.check()?;
        check_zero_point(self.output_zero_point)?;
        match self.bias {
            Some(bias) if !bias.is_finite() => Err(ContractError::Bias(bias)),
            _ => Ok(()),
        }
    }

    /// For contracts whose bias is an integer in the accumulator.
    pub(super) fn without_float_bias(&self) -> Result<(), ContractError> {
        match self.bias {
            Some(_) => Err(ContractError::FloatBias),
            None => Ok(()),
        }
    }

    /// For contracts that know neither a float bias nor a zero point.
    pub(super) fn without_zero_point(&self) -> Result<(), ContractError> {
        self.without_float_bias()?;
        match self.output_zero_point {
            0 => Ok(()),
            zero_point => Err(ContractError::NoZeroPoint(zero_point)),
        }
    }

    /// The last step of most contracts.
    pub(super) fn output(&self) -> Output {
        Output::new(self.output_zero_point, self.clamp)
    }
}

/// A rounded value becomes a code: `clamp(y + z)`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    pub(super) zero_point: i32,
    pub(super) clamp: Clamp,
    /// The clamp less the zero point: `clamp(y + z)` is `clamp(y) + z` within it.
    less: [i32; 2],
}

impl Output {
    /// Of a checked channel: all within −383 to 383.
    pub(super) fn new(zero_point: i32, clamp: Clamp) -> Self {
        Self {
            zero_point,
            clamp,
            less: [clamp.low, clamp.high].map(|code| code - zero_point),
        }
    }

    /// Of an integer. Not `clamp`, which asserts low ≤ high: a branch in loops that are vectors
    /// without it; nor `+`, whose check is one: codes do not wrap.
    #[inline]
    pub(super) fn code(self, y: i64) -> i32 {
        let [low, high] = self.less;
        let y = y.max(i64::from(low)).min(i64::from(high)) as i32;
        y.wrapping_add(self.zero_point)
    }

    /// Clamped as a float, before rounding: as safe for infinite values.
    #[inline]
    pub(super) fn round_then_add(self, value: f32) -> i32 {
        let [low, high] = self.less.map(|code| code as f32);
        integer(value.max(low).min(high).round_ties_even()).wrapping_add(self.zero_point)
    }

    /// The zero point is in `value` already.
    #[inline]
    pub(super) fn round(self, value: f32) -> i32 {
        let Clamp { low, high } = self.clamp;
        integer(value.max(low as f32).min(high as f32).round_ties_even())
    }
}
