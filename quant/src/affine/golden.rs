//! The integer interpreter of every scheme: normative.
//!
//! Accumulate `(W_q − z_W)·(I_q − z_I)` in int64, bias included; multiply by M in float64;
//! round halves to even; add z_O; clamp (eq. 22). A padded position holds z_I. ReLU is a clamp
//! from below at z.

use reference::ops::{conv2d_sums, flatten, linear_sums, max_pool2d};
use reference::{Op, ShapeError, Tensor};

use super::{AffineNetwork, AffineWeights};
use crate::scheme::QuantParams;

/// What one layer computed.
#[derive(Clone, Debug, PartialEq)]
pub struct AffineTraceLayer {
    /// The layer's name.
    pub name: String,
    /// Before requantization, of a weighted layer.
    pub accumulators: Option<Tensor<i64>>,
    /// The layer's output.
    pub codes: Tensor<i32>,
    /// Of these codes.
    pub params: QuantParams,
}

/// A whole run, layer by layer.
#[derive(Clone, Debug, PartialEq)]
pub struct AffineTrace {
    /// I_q.
    pub input: Tensor<i32>,
    /// Every layer in order.
    pub layers: Vec<AffineTraceLayer>,
}

impl AffineNetwork {
    /// Every accumulator and code for normalized images [N, C, H, W].
    ///
    /// # Errors
    /// Images that are not of the network's input shape.
    pub fn trace(&self, images: &Tensor<f32>) -> Result<AffineTrace, ShapeError> {
        let input = images.map(|x| self.input.quantize(x));
        let mut layers: Vec<AffineTraceLayer> = Vec::with_capacity(self.network.layers().len());
        for layer in self.network.layers() {
            let (codes, params) = match layers.last() {
                Some(previous) => (&previous.codes, previous.params),
                None => (&input, self.input),
            };
            let (accumulators, codes, params) = apply(&layer.op, codes, params)?;
            layers.push(AffineTraceLayer {
                name: layer.name.clone(),
                accumulators,
                codes,
                params,
            });
        }
        Ok(AffineTrace { input, layers })
    }
}

type Applied = (Option<Tensor<i64>>, Tensor<i32>, QuantParams);

/// One layer on codes with these parameters.
fn apply(
    op: &Op<AffineWeights>,
    input: &Tensor<i32>,
    params: QuantParams,
) -> Result<Applied, ShapeError> {
    let z = params.zero_point;
    // Less the zero point a padded position is 0.
    let shifted = || input.map(|code| code - z);
    let codes = match op {
        Op::Conv2d { geometry, weights } => {
            let bias = weights.bias.as_deref();
            let acc = conv2d_sums(&shifted(), &weights.shifted(), bias, geometry)?;
            let codes = requantize(&acc, weights);
            return Ok((Some(acc), codes, weights.output));
        }
        Op::Linear { weights } => {
            let acc = linear_sums(&shifted(), &weights.shifted(), weights.bias.as_deref())?;
            let codes = requantize(&acc, weights);
            return Ok((Some(acc), codes, weights.output));
        }
        Op::Relu => input.map(|code| code.max(z)),
        Op::MaxPool2d(geometry) => max_pool2d(input, geometry)?,
        Op::AveragePool2d(geometry) => geometry.pool(
            &shifted(),
            0i64,
            |sum, code| sum + i64::from(code),
            |sum, count| {
                let mean = (sum as f64 / count as f64).round_ties_even();
                params.grid.clamp(mean + f64::from(z))
            },
        )?,
        Op::Flatten => flatten(input.clone())?,
        // `AffineNetwork` holds none.
        Op::LogSoftmax => input.clone(),
    };
    Ok((None, codes, params))
}

/// `clamp(round(acc · M) + z_O)`, M of the accumulator's channel (axis 1).
fn requantize(acc: &Tensor<i64>, weights: &AffineWeights) -> Tensor<i32> {
    acc.map_along(1, |channel, acc| weights.code(channel, acc as f64))
}

/// Eq. 22 of one accumulator.
pub(super) fn code(acc: f64, multiplier: f64, output: &QuantParams) -> i32 {
    let rounded = (acc * multiplier).round_ties_even();
    output.grid.clamp(rounded + f64::from(output.zero_point))
}
