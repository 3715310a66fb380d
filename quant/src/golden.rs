//! The golden integer interpreter: normative for integers.
//!
//! A layer is: accumulate in int32, bias included; divide by s_O, round, clamp to
//! [−128, 127] (eq. 6, 7); then, as layers of their own, ReLU and pool on codes.

use reference::ops::{AveragePoolGeometry, conv2d_sums, flatten, linear_sums, max_pool2d};
use reference::{Op, ShapeError, Tensor};

use crate::formulas::input::quantized_input;
use crate::formulas::output::oiq;
use crate::{QuantNetwork, QuantWeights, Rounding, Scale};

/// What one layer computed.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerTrace {
    /// The layer's name.
    pub name: String,
    /// Before requantization, of a weighted layer: `W_iq * I_q + β_iq`.
    pub accumulators: Option<Tensor<i32>>,
    /// The layer's output.
    pub codes: Tensor<i8>,
}

/// A whole run, layer by layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// I_q.
    pub input: Tensor<i8>,
    /// Every layer in order.
    pub layers: Vec<LayerTrace>,
}

impl QuantNetwork {
    /// I_q of normalized images [N, C, H, W] (eq. 5).
    pub fn input_codes(&self, images: &Tensor<f32>) -> Tensor<i8> {
        quantized_input(images, self.input_scale())
    }

    /// The codes of the last layer for normalized images [N, C, H, W].
    ///
    /// # Errors
    /// Images that are not of the network's input shape.
    pub fn forward(&self, images: &Tensor<f32>) -> Result<Tensor<i8>, ShapeError> {
        let mut codes = self.input_codes(images);
        for layer in self.network().layers() {
            (_, codes) = apply(&layer.op, &codes, self.rounding())?;
        }
        Ok(codes)
    }

    /// Every accumulator and code for normalized images [N, C, H, W].
    ///
    /// # Errors
    /// Images that are not of the network's input shape.
    pub fn trace(&self, images: &Tensor<f32>) -> Result<Trace, ShapeError> {
        self.trace_codes(self.input_codes(images))
    }

    /// The same for input codes [N, C, H, W].
    ///
    /// # Errors
    /// Codes that are not of the network's input shape.
    pub fn trace_codes(&self, input: Tensor<i8>) -> Result<Trace, ShapeError> {
        let mut layers: Vec<LayerTrace> = Vec::with_capacity(self.network().layers().len());
        for layer in self.network().layers() {
            let codes = layers.last().map_or(&input, |previous| &previous.codes);
            let (accumulators, codes) = apply(&layer.op, codes, self.rounding())?;
            layers.push(LayerTrace {
                name: layer.name.clone(),
                accumulators,
                codes,
            });
        }
        Ok(Trace { input, layers })
    }
}

/// One layer on codes: the accumulators of a weighted layer, and the output codes.
///
/// # Errors
/// Shapes that do not fit.
pub fn apply(
    op: &Op<QuantWeights>,
    input: &Tensor<i8>,
    rounding: Rounding,
) -> Result<(Option<Tensor<i32>>, Tensor<i8>), ShapeError> {
    let codes = match op {
        Op::Conv2d { geometry, weights } => {
            let acc = conv2d_sums(input, &weights.weight, weights.bias.as_deref(), geometry)?;
            let codes = requantize(&acc, weights.output_scale, rounding);
            return Ok((Some(acc), codes));
        }
        Op::Linear { weights } => {
            let acc = linear_sums(input, &weights.weight, weights.bias.as_deref())?;
            let codes = requantize(&acc, weights.output_scale, rounding);
            return Ok((Some(acc), codes));
        }
        Op::Relu => relu(input),
        Op::MaxPool2d(geometry) => max_pool2d(input, geometry)?,
        Op::AveragePool2d(geometry) => average_pool2d(input, geometry, rounding)?,
        Op::Flatten => flatten(input.clone())?,
        // A `QuantNetwork` holds none; alone it is left out, as at a network's end.
        Op::LogSoftmax => input.clone(),
    };
    Ok((None, codes))
}

/// Eq. 6 and 7 of every accumulator.
pub fn requantize(acc: &Tensor<i32>, output_scale: Scale, rounding: Rounding) -> Tensor<i8> {
    acc.map(|acc| oiq(acc, output_scale, rounding))
}

/// `max(0, q)`.
pub fn relu(input: &Tensor<i8>) -> Tensor<i8> {
    input.map(|code| code.max(0))
}

/// `round(Σ q / count)` over each window: the mean has the scale of its input.
///
/// # Errors
/// Shapes that do not fit.
pub fn average_pool2d(
    input: &Tensor<i8>,
    geometry: &AveragePoolGeometry,
    rounding: Rounding,
) -> Result<Tensor<i8>, ShapeError> {
    geometry.pool(
        input,
        0i64,
        |sum, code| sum + i64::from(code),
        // A mean of codes is a code; the f64 quotient is on a tie only where the exact one is.
        |sum, count| rounding.round(sum as f64 / count as f64) as i8,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use reference::PoolGeometry;

    #[test]
    fn average_of_codes_rounds_as_told() {
        let geometry = AveragePoolGeometry {
            window: PoolGeometry {
                kernel: [2, 2],
                stride: [2, 2],
                padding: [0, 0],
            },
            count_include_pad: true,
        };
        let input = Tensor::new(&[1, 1, 2, 4], vec![1i8, 1, -128, -128, 0, 0, -127, -127]).unwrap();
        let of = |rounding| {
            average_pool2d(&input, &geometry, rounding)
                .unwrap()
                .into_data()
        };
        assert_eq!(of(Rounding::TiesToEven), [0, -128]);
        assert_eq!(of(Rounding::TiesAwayFromZero), [1, -128]);
        assert_eq!(of(Rounding::HalfUp), [1, -127]);
        assert_eq!(of(Rounding::Floor), [0, -128]);
        assert_eq!(of(Rounding::TowardZero), [0, -127]);
    }

    #[test]
    fn relu_of_codes() {
        let input = Tensor::new(&[4], vec![-128i8, -1, 0, 127]).unwrap();
        assert_eq!(relu(&input).data(), [0, 0, 0, 127]);
    }
}
