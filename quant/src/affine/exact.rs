//! The same integers, faster: carried in floats that hold them exactly.
//!
//! A float32 holds every integer up to 2²⁴ and a float64 up to 2⁵³, and sums of them are exact
//! in any order as long as no partial sum is beyond. Eq. 14 bounds all partial sums, so each
//! layer takes the narrower type that its bound allows.

use reference::ops::{conv2d, flatten, linear, max_pool2d};
use reference::{Element, Op, ShapeError, Tensor};

use super::{AffineNetwork, AffineWeights};
use crate::scheme::QuantParams;

/// A network that computes the codes of [`AffineNetwork::trace`], and nothing in between.
#[derive(Clone, Debug)]
pub struct ExactInFloats {
    network: AffineNetwork,
    /// Whether float32 holds the accumulators, of each weighted layer.
    narrow: Vec<bool>,
}

impl ExactInFloats {
    /// Chooses each layer's type.
    pub fn new(network: AffineNetwork) -> Self {
        let narrow = (network.reach().iter())
            .map(|&bound| bound < 1 << f32::MANTISSA_DIGITS)
            .collect();
        Self { network, narrow }
    }

    /// The codes of the last layer less their zero point, for normalized images
    /// [N, C, H, W].
    ///
    /// # Errors
    /// Images that are not of the network's input shape.
    pub fn forward(&self, images: &Tensor<f32>) -> Result<Tensor<f32>, ShapeError> {
        let mut params = *self.network.input();
        let z = params.zero_point;
        let mut x = images.map(|x| (params.quantize(x) - z) as f32);
        let mut narrow = self.narrow.iter();
        for layer in self.network.network().layers() {
            x = match &layer.op {
                Op::Relu => x.map(|code| code.max(0.0)),
                Op::MaxPool2d(geometry) => max_pool2d(&x, geometry)?,
                Op::AveragePool2d(geometry) => geometry.pool(
                    &x,
                    0f64,
                    |sum, code| sum + f64::from(code),
                    |sum, count| {
                        let mean = (sum / count as f64).round_ties_even();
                        let z = params.zero_point;
                        (params.grid.clamp(mean + f64::from(z)) - z) as f32
                    },
                )?,
                Op::Flatten => flatten(x)?,
                Op::LogSoftmax => x,
                Op::Conv2d { weights, .. } | Op::Linear { weights } => {
                    params = weights.output;
                    match narrow.next() {
                        Some(true) => weighted::<f32>(&layer.op, weights, &x)?,
                        _ => weighted::<f64>(&layer.op, weights, &x)?,
                    }
                }
            };
        }
        Ok(x)
    }
}

/// A weighted layer whose integers `E` holds.
fn weighted<E: Element>(
    op: &Op<AffineWeights>,
    weights: &AffineWeights,
    input: &Tensor<f32>,
) -> Result<Tensor<f32>, ShapeError> {
    // Exact: the bound of the layer covers each of these.
    let integer = |value: i64| E::from(value).unwrap_or(E::nan());
    let input = input.map(E::from_f32);
    let codes = weights.shifted().map(|code| integer(i64::from(code)));
    let bias: Option<Vec<E>> =
        (weights.bias.as_ref()).map(|bias| bias.iter().map(|&code| integer(code)).collect());
    let acc = match op {
        Op::Conv2d { geometry, .. } => conv2d(&input, &codes, bias.as_deref(), geometry)?,
        _ => linear(&input, &codes, bias.as_deref())?,
    };
    let QuantParams { zero_point, .. } = weights.output;
    Ok(acc.map_along(1, |channel, acc| {
        (weights.code(channel, acc.to_f64_exact()) - zero_point) as f32
    }))
}
