//! How far the integer network may lie from the float network (eq. 18 to 21).
//!
//! Nothing here asks what the integers came out as: the bound is known before the kernel
//! runs. Every quantity is enlarged by more than its own f64 rounding.

use reference::ops::{AveragePoolGeometry, average_pool2d, conv2d, linear, max_pool2d};
use reference::{Network, Op, ShapeError, Tensor, Weights};

use super::{Roundoff, U64, disagreement, outward};
use crate::calibrator::Ranges;
use crate::formulas::composed::accumulator_scale;
use crate::formulas::{QMAX, QMIN};
use crate::{QuantError, QuantNetwork, QuantWeights, Rounding, Scale};

/// Roundings in the longest chain of scales that is accounted for, and then some.
const CHAIN: usize = 64;

/// One layer's exact real output, nearly, and how far the codes may lie from it.
#[derive(Clone, Debug)]
pub struct LayerBound {
    /// The real output, evaluated in f64 on exact inputs.
    pub real: Tensor<f64>,
    /// How far `real` may lie from the exact one.
    pub real_error: Tensor<f64>,
    /// Bounds |real value of the code − exact real output|, elementwise.
    pub bound: Tensor<f64>,
    /// The real value of one code (eq. 9).
    pub step: f64,
}

impl LayerBound {
    /// The largest share of the bound that these codes use, and where.
    ///
    /// The distance of a code from `real` may be that of the bound and the error of
    /// `real` itself together.
    pub fn used(&self, codes: &Tensor<i8>) -> (f64, usize) {
        let mut worst = (0.0, 0);
        for (i, &code) in codes.data().iter().enumerate() {
            let error = (f64::from(code) * self.step - self.real.data()[i]).abs();
            let share = error / outward(self.bound.data()[i] + self.real_error.data()[i], 4);
            if share > worst.0 || share.is_nan() {
                worst = (if share.is_nan() { f64::INFINITY } else { share }, i);
            }
        }
        worst
    }

    /// The largest |real value of a code − real output|.
    pub fn largest_error(&self, codes: &Tensor<i8>) -> f64 {
        let errors = (codes.data().iter().zip(self.real.data()))
            .map(|(&code, real)| (f64::from(code) * self.step - real).abs());
        errors.fold(0.0, f64::max)
    }
}

/// The largest error of rounding to an integer, in steps.
pub fn rounding_step(rounding: Rounding) -> f64 {
    match rounding {
        Rounding::TiesToEven | Rounding::TiesAwayFromZero | Rounding::HalfUp => 0.5,
        Rounding::Floor | Rounding::TowardZero => 1.0,
    }
}

/// Eq. 19: |clamp(round(y)) − v| for a computed y within `error` steps of v.
///
/// Inside the range clamping brings nothing further away; outside, the code is either
/// unclamped or at the edge, whose distance from v is the second term.
fn rounded(error: f64, v: f64, rounding: Rounding) -> f64 {
    let outside = (v - f64::from(QMAX)).max(f64::from(QMIN) - v);
    outward(error + rounding_step(rounding), 2).max(outward(outside, 2))
}

/// Eq. 18: the codes of the input, from exact float32 pixels.
fn input_bound(images: &Tensor<f32>, scale: Scale, rounding: Rounding) -> Tensor<f64> {
    images.map(|x| {
        let v = f64::from(x) / scale.wide();
        let division = outward(f32::SUM * v.abs() + f32::UNDERFLOW, 2);
        // v itself is a rounded quotient, and near the edge of the codes that shows.
        let of_v = v.abs() * 2.0 * U64;
        outward(scale.wide() * (rounded(division, v, rounding) + of_v), 3)
    })
}

/// Bounds every layer of `quant` against `float` on these images, a posteriori.
///
/// # Errors
/// Images that are not of the networks' input shape.
pub fn a_posteriori(
    float: &Network<Weights<f32>>,
    quant: &QuantNetwork,
    images: &Tensor<f32>,
) -> Result<Vec<LayerBound>, ShapeError> {
    let wide = float.cast::<f64>();
    let mut layers: Vec<LayerBound> = Vec::with_capacity(quant.network().layers().len());
    let mut previous = LayerBound {
        real: images.map(f64::from),
        real_error: images.map(|_| 0.0),
        // The input is rounded half to even, whatever the layers do.
        bound: input_bound(images, quant.input_scale(), Rounding::TiesToEven),
        step: quant.input_scale().wide(),
    };
    let mut ss: Vec<(Scale, Scale)> = Vec::new();
    for (float, layer) in wide.layers().iter().zip(quant.network().layers()) {
        let real = reference::network::apply(&float.op, &previous.real)?;
        let real_error = disagreement(&float.op, &previous.real, &real, &previous.real_error)?;
        let mut next = LayerBound {
            real,
            real_error,
            bound: previous.bound.clone(),
            step: previous.step,
        };
        match (&float.op, &layer.op) {
            (
                Op::Conv2d {
                    weights: w,
                    geometry,
                },
                Op::Conv2d { weights, .. },
            ) => {
                let product =
                    |x: &Tensor<f64>, w: &Tensor<f64>, b: &[f64]| conv2d(x, w, Some(b), geometry);
                let c = accumulator_scale(weights.weight_scale, quant.input_scale(), &ss);
                next.bound =
                    requantized(&previous, &next, w, weights, c, quant.rounding(), product)?;
            }
            (Op::Linear { weights: w }, Op::Linear { weights }) => {
                let product = |x: &Tensor<f64>, w: &Tensor<f64>, b: &[f64]| linear(x, w, Some(b));
                let c = accumulator_scale(weights.weight_scale, quant.input_scale(), &ss);
                next.bound =
                    requantized(&previous, &next, w, weights, c, quant.rounding(), product)?;
            }
            (_, Op::MaxPool2d(geometry)) => next.bound = max_pool2d(&previous.bound, geometry)?,
            (_, Op::AveragePool2d(geometry)) => {
                next.bound = averaged(&previous, geometry, quant.rounding())?;
            }
            (_, Op::Flatten) => next.bound = reference::ops::flatten(previous.bound.clone())?,
            // ReLU is 1-Lipschitz, and max(0, ·) of a code is that of its real value.
            _ => {}
        }
        if let Op::Conv2d { weights, .. } | Op::Linear { weights } = &layer.op {
            let c = accumulator_scale(weights.weight_scale, quant.input_scale(), &ss);
            next.step = c * weights.output_scale.wide();
            ss.push((weights.weight_scale, weights.output_scale));
        }
        layers.push(next.clone());
        previous = next;
    }
    Ok(layers)
}

/// Eq. 20 and 19: through a weighted layer and its requantization.
fn requantized(
    input: &LayerBound,
    output: &LayerBound,
    float: &Weights<f64>,
    codes: &QuantWeights,
    c: f64,
    rounding: Rounding,
    product: impl Fn(&Tensor<f64>, &Tensor<f64>, &[f64]) -> Result<Tensor<f64>, ShapeError>,
) -> Result<Tensor<f64>, ShapeError> {
    let outputs = codes.weight.shape()[0];
    let deltas = Deltas::new(float, codes, c);
    let mut magnitude = input.real.map(f64::abs);
    for (x, error) in magnitude.data_mut().iter_mut().zip(input.real_error.data()) {
        *x = outward(*x + error, 1);
    }
    let zeros = vec![0.0; outputs];
    let through_weights = product(&input.bound, &deltas.magnitude, &zeros)?;
    let from_weights = product(&magnitude, &deltas.weight, &deltas.bias)?;
    let terms = codes.weight.item_len() + 1;
    let step = c * codes.output_scale.wide();
    let mut bound = output.real.clone();
    for (i, e) in bound.data_mut().iter_mut().enumerate() {
        let real_error = output.real_error.data()[i];
        let acc = outward(
            through_weights.data()[i] + from_weights.data()[i],
            terms + 2,
        );
        let v = *e / step;
        // The accumulator to float32, and the division: two roundings of its quotient.
        let largest = outward((e.abs() + real_error + acc) / step, CHAIN);
        let division = outward((2.0 + f32::SUM) * f32::SUM * largest + f32::UNDERFLOW, 4);
        // v is known to within the error of `real` and of the scale chain.
        let of_v = outward(real_error / step + v.abs() * CHAIN as f64 * U64, CHAIN);
        let inside = outward(acc / step, CHAIN) + division + of_v;
        *e = outward(step * (rounded(inside, v, rounding) + of_v), CHAIN);
    }
    Ok(bound)
}

/// The known errors of a layer's codes, each enlarged by its own rounding.
struct Deltas {
    /// |Ŵ|.
    magnitude: Tensor<f64>,
    /// |Ŵ − W|.
    weight: Tensor<f64>,
    /// |β̂ − β|.
    bias: Vec<f64>,
}

impl Deltas {
    fn new(float: &Weights<f64>, codes: &QuantWeights, c: f64) -> Self {
        let scale = codes.weight_scale.wide();
        // Exact: a code of 8 bits times a float32 fits f64.
        let quantized = codes.weight.map(|code| f64::from(code) * scale);
        let mut weight = quantized.clone();
        for (delta, w) in weight.data_mut().iter_mut().zip(float.weight.data()) {
            *delta = outward((*delta - w).abs(), 1);
        }
        let biases = float.bias.iter().flatten().zip(codes.bias.iter().flatten());
        let mut bias: Vec<f64> = biases
            .map(|(b, &code)| {
                let back = f64::from(code) * c;
                // The chain of scales in c rounds; the difference must not hide it.
                outward((back - b).abs() + back.abs() * CHAIN as f64 * U64, 2)
            })
            .collect();
        bias.resize(codes.weight.shape()[0], 0.0);
        Self {
            magnitude: quantized.map(f64::abs),
            weight,
            bias,
        }
    }
}

/// Eq. 21: the mean of the bounds, and the mean's own rounding.
fn averaged(
    input: &LayerBound,
    geometry: &AveragePoolGeometry,
    rounding: Rounding,
) -> Result<Tensor<f64>, ShapeError> {
    let taps = geometry.window.kernel[0] * geometry.window.kernel[1];
    let mean = average_pool2d(&input.bound, geometry)?;
    // The quotient of two integers in f64 rounds to the same integer as the exact one.
    Ok(mean.map(|e| {
        outward(
            outward(e, taps + 1) + input.step * rounding_step(rounding),
            3,
        )
    }))
}

/// A priori: for any input whose activations stay in the calibrated ranges, how far the
/// real value of a weighted layer's code may lie from its real output, at most. One
/// number a weighted layer, in real units; `ranges` are those the scales were made from.
///
/// # Errors
/// Ranges that are not one for each weighted layer.
pub fn a_priori(
    float: &Network<Weights<f32>>,
    quant: &QuantNetwork,
    ranges: &Ranges,
) -> Result<Vec<f64>, QuantError> {
    let weighted = float.weighted().count();
    if ranges.outputs.len() != weighted {
        return Err(QuantError::Ranges {
            expected: weighted,
            got: ranges.outputs.len(),
        });
    }
    let wide = float.cast::<f64>();
    let mut ss: Vec<(Scale, Scale)> = Vec::new();
    let mut bounds = Vec::with_capacity(weighted);
    let s_i = quant.input_scale();
    let extreme = Tensor::new(&[1], vec![ranges.input])?;
    let mut e = input_bound(&extreme, s_i, Rounding::TiesToEven).data()[0];
    let mut largest_input = f64::from(ranges.input);
    let mut step = s_i.wide();
    let mut outputs = ranges.outputs.iter();
    let mut float_layers = wide.weighted();
    for layer in quant.network().layers() {
        match &layer.op {
            Op::Conv2d { weights, .. } | Op::Linear { weights } => {
                let (Some((_, float)), Some(&range)) = (float_layers.next(), outputs.next()) else {
                    break;
                };
                let c = accumulator_scale(weights.weight_scale, s_i, &ss);
                step = c * weights.output_scale.wide();
                let deltas = Deltas::new(float, weights, c);
                let terms = weights.weight.item_len() + 1;
                let channel = |o: usize| {
                    let through: f64 = deltas.magnitude.item(o).iter().map(|w| w * e).sum();
                    let from: f64 = deltas
                        .weight
                        .item(o)
                        .iter()
                        .map(|d| d * largest_input)
                        .sum();
                    outward(through + from + deltas.bias[o], terms + 3)
                };
                let acc = (0..weights.weight.shape()[0])
                    .map(channel)
                    .fold(0.0, f64::max);
                let range = f64::from(range);
                let largest = outward((range + acc) / step, CHAIN);
                let division = outward((2.0 + f32::SUM) * f32::SUM * largest + f32::UNDERFLOW, 4);
                let slack = outward(range / step * CHAIN as f64 * U64, CHAIN);
                let inside = outward(acc / step, CHAIN) + division + 2.0 * slack;
                // The range itself is at the edge of the codes, to within the chain's rounding.
                let edge = outward(range / step, CHAIN);
                e = outward(
                    step * (rounded(inside, edge, quant.rounding()) + slack),
                    CHAIN,
                );
                bounds.push(e);
                largest_input = range;
                ss.push((weights.weight_scale, weights.output_scale));
            }
            Op::AveragePool2d(_) => {
                e = outward(e + step * rounding_step(quant.rounding()), 3);
            }
            Op::Relu | Op::MaxPool2d(_) | Op::Flatten | Op::LogSoftmax => {}
        }
    }
    Ok(bounds)
}
