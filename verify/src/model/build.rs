//! A model from a quantized network.

use std::sync::{Arc, OnceLock};

use fixtures::{ImageSet, NetworkFixture};
use quant::affine::{AffineNetwork, Calibration};
use quant::calibrator::calibrate;
use quant::contracts::{self, Channel, Clamp};
use quant::observers::Range;
use quant::scheme::{Granularity, Grid, QuantParams};
use quant::sq8::{NodeRanges, Sq8Network, Sq8Options};
use quant::{QuantError, QuantNetwork, Rounding, Scale};
use reference::{InputSpec, Op, Tensor};

use super::origin::LayerOrigin;
use super::{
    ACCUMULATORS, Accumulate, Accumulator, Arithmetic, AveragePool, FlattenOrder, MeanRounding,
    Model, ModelScheme, Node, Origin, Overflow, Quantize, Requantize, Step,
};

/// Codes of the max-abs scheme.
const INT8: Grid = Grid {
    bits: 8,
    signed: true,
    narrow: false,
};

/// A model that cannot be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The network cannot be quantized.
    #[error(transparent)]
    Quant(#[from] QuantError),
    /// No such contract.
    #[error(
        "there is no contract {name:?}; `cargo xtask contracts` lists them, and `golden` is Karat's own"
    )]
    UnknownContract {
        /// What was asked for.
        name: String,
    },
    /// A contract that has no numbers for a layer.
    #[error("layer {layer}: contract {contract} cannot express it: {source}")]
    Inexpressible {
        /// The layer.
        layer: String,
        /// The contract.
        contract: String,
        /// Why.
        source: contracts::ContractError,
    },
}

/// A weighted layer in either form of `quant`.
struct Layer {
    weight: Tensor<i32>,
    weight_zero_points: Vec<i32>,
    bias: Vec<i64>,
    /// What is taken off the input's codes: 0 where the bias does it.
    input_zero_point: i32,
    channels: Vec<Channel>,
    origin: LayerOrigin,
}

impl Model {
    /// Quantizes a network by a scheme; `contract` is `golden` or one of `quant::contracts`.
    ///
    /// # Errors
    /// A network that cannot be quantized so, or a contract that is none or has no numbers for
    /// a layer.
    pub fn new(
        fixture: &NetworkFixture,
        images: &ImageSet,
        scheme: ModelScheme,
        contract: &str,
    ) -> Result<Self, ModelError> {
        let model = match (scheme.sq8(), scheme.affine()) {
            (Some(options), _) => sq8(fixture, images, scheme, &options)?,
            (None, Some(_)) => affine(fixture, images, scheme)?,
            (None, None) => max_abs(fixture, images)?,
        };
        model.with_contract(contract)
    }

    /// The same model, requantized by another contract.
    ///
    /// # Errors
    /// A contract that is none, or that has no numbers for a layer.
    pub fn with_contract(mut self, name: &str) -> Result<Self, ModelError> {
        let golden = |origin: &LayerOrigin| match (self.scheme, &origin.sq8) {
            (_, Some(layer)) => Arithmetic::Sq8(layer.scales.clone().into(), Rounding::HalfUp),
            (ModelScheme::MaxAbs, _) => Arithmetic::Division(Rounding::TiesToEven),
            _ => Arithmetic::Product(Rounding::TiesToEven),
        };
        let contract = match (name, contracts::find(name)) {
            (GOLDEN, _) => None,
            (_, Some(contract)) => Some(contract),
            (_, None) => {
                let name = name.to_owned();
                return Err(ModelError::UnknownContract { name });
            }
        };
        for node in &mut self.nodes {
            if let (Step::Requantize(requantize), Some(weighted)) = (&mut node.step, node.weighted)
            {
                requantize.arithmetic = match contract {
                    Some(contract) => Arithmetic::Contract(contract),
                    None => golden(&self.origin.layers[weighted]),
                };
                requantize
                    .check()
                    .map_err(|source| ModelError::Inexpressible {
                        layer: node.name.clone(),
                        contract: name.to_owned(),
                        source,
                    })?;
            }
        }
        name.clone_into(&mut self.contract);
        Ok(self)
    }
}

/// Karat's own arithmetic for a scheme.
pub const GOLDEN: &str = "golden";

fn max_abs(fixture: &NetworkFixture, images: &ImageSet) -> Result<Model, QuantError> {
    let float = &fixture.network;
    let ranges = calibrate(float, &float.input().normalize(&images.calibration))?;
    let quant = QuantNetwork::quantize(float, &ranges, Rounding::TiesToEven)?;
    let input = QuantParams {
        scale: quant.input_scale(),
        zero_point: 0,
        grid: INT8,
    };
    let (mut absolute, mut at) = (input.scale.wide(), 0);
    let body = QuantNetwork::body(float)?;
    let floats: Vec<_> = body
        .weighted()
        .map(|(_, weights)| weights.clone())
        .collect();
    let layers = quant.network().try_map_weights(|_, weights| {
        let outputs = weights.weight.shape()[0];
        let scale = weights.output_scale;
        let range = ranges.outputs[at];
        let previous = Scale::new(absolute)?;
        absolute *= weights.weight_scale.wide() * scale.wide();
        let layer = Layer {
            weight: weights.weight.map(i32::from),
            weight_zero_points: vec![0; outputs],
            bias: bias(weights.bias.as_ref(), outputs, |&code| code.into()),
            input_zero_point: 0,
            channels: vec![Channel::int8(1.0, 1.0, scale.wide(), 0); outputs],
            origin: LayerOrigin {
                float: floats[at].clone(),
                weight_scales: vec![weights.weight_scale],
                input: previous,
                output: scale,
                range: Range {
                    low: -range,
                    high: range,
                },
                params: QuantParams {
                    scale: Scale::new(absolute)?,
                    zero_point: 0,
                    grid: INT8,
                },
                sq8: None,
            },
        };
        at += 1;
        Ok::<_, QuantError>(Made(layer))
    })?;
    Ok(assemble(
        fixture,
        images,
        ModelScheme::MaxAbs,
        input,
        layers,
    ))
}

fn affine(
    fixture: &NetworkFixture,
    images: &ImageSet,
    name: ModelScheme,
) -> Result<Model, QuantError> {
    let scheme = name.affine().ok_or(QuantError::Empty)?;
    let float = &fixture.network;
    let calibration = Calibration::run(float, &float.input().normalize(&images.calibration))?;
    let observed = calibration.ranges(&scheme)?;
    let quant = AffineNetwork::quantize(float, &observed, scheme)?;
    let body = QuantNetwork::body(float)?;
    let floats: Vec<_> = body
        .weighted()
        .map(|(_, weights)| weights.clone())
        .collect();
    let (mut previous, mut at) = (*quant.input(), 0);
    let layers = quant.network().try_map_weights(|_, weights| {
        let outputs = weights.codes.shape()[0];
        let output = weights.output;
        let layer = Layer {
            weight: weights.codes.clone(),
            weight_zero_points: (0..outputs)
                .map(|o| weights.channel(o).zero_point)
                .collect(),
            bias: bias(weights.bias.as_ref(), outputs, |&code| code),
            input_zero_point: previous.zero_point,
            channels: (0..outputs)
                .map(|o| Channel {
                    input_scale: previous.scale.wide(),
                    weight_scale: weights.channel(o).scale.wide(),
                    output_scale: output.scale.wide(),
                    output_zero_point: output.zero_point,
                    clamp: Clamp {
                        low: output.grid.low(),
                        high: output.grid.high(),
                    },
                    bias: None,
                    granularity: match weights.params.len() {
                        1 => Granularity::PerTensor,
                        _ => Granularity::PerChannel,
                    },
                })
                .collect(),
            origin: LayerOrigin {
                float: floats[at].clone(),
                weight_scales: weights.params.iter().map(|params| params.scale).collect(),
                input: previous.scale,
                output: output.scale,
                range: observed.outputs[at],
                params: output,
                sq8: None,
            },
        };
        (previous, at) = (output, at + 1);
        Ok::<_, QuantError>(Made(layer))
    })?;
    Ok(assemble(fixture, images, name, *quant.input(), layers))
}

fn sq8(
    fixture: &NetworkFixture,
    images: &ImageSet,
    name: ModelScheme,
    options: &Sq8Options,
) -> Result<Model, QuantError> {
    let body = QuantNetwork::body(&fixture.network)?;
    let ranges = NodeRanges::observe(&body, &body.input().normalize(&images.calibration))?;
    let quant = Sq8Network::quantize(&body, &ranges, options)?;
    let floats: Vec<_> = (body.layers().iter().zip(&ranges.outputs))
        .filter_map(|(layer, range)| Some((layer.weights()?.clone(), *range)))
        .collect();
    let mut floats = floats.into_iter();
    let layers = quant.network().try_map_weights(|_, weights| {
        let (float, range) = floats.next().ok_or(QuantError::Empty)?;
        let [input, output] = [weights.input.single()?, weights.output.single()?];
        let layer = Layer {
            weight: weights.codes.map(i32::from),
            weight_zero_points: vec![0; weights.bias.len()],
            bias: weights.bias.iter().map(|&bias| bias.into()).collect(),
            input_zero_point: 0,
            channels: (weights.weight_scales.iter())
                .map(|weight_scale| Channel {
                    granularity: options.weights,
                    // The bias holds the zero point.
                    ..Channel::int8(
                        weights.input.scale(),
                        weight_scale.wide(),
                        weights.output.scale(),
                        0,
                    )
                })
                .collect(),
            origin: LayerOrigin {
                float,
                weight_scales: weights.weight_scales.clone(),
                input: input.scale,
                output: output.scale,
                range,
                params: output,
                sq8: Some(Arc::new(weights.clone())),
            },
        };
        Ok::<_, QuantError>(Made(layer))
    })?;
    let input = quant.input().single()?;
    Ok(assemble(fixture, images, name, input, layers))
}

/// As many bias codes as outputs.
fn bias<T>(bias: Option<&Vec<T>>, outputs: usize, code: impl Fn(&T) -> i64) -> Vec<i64> {
    bias.map_or_else(|| vec![0; outputs], |bias| bias.iter().map(code).collect())
}

/// From the least to the greatest input: normalizing keeps the order.
fn input_range(spec: &InputSpec, pixels: &Tensor<u8>) -> Range {
    let pixels = pixels.data();
    let ends = [pixels.iter().min(), pixels.iter().max()].map(|end| end.copied().unwrap_or(0));
    let [low, high] = ends.map(|pixel| (f32::from(pixel) / 255.0 - spec.mean) / spec.std);
    Range { low, high }
}

/// What `try_map_weights` hands on.
struct Made(Layer);

fn assemble(
    fixture: &NetworkFixture,
    images: &ImageSet,
    scheme: ModelScheme,
    input: QuantParams,
    network: reference::Network<Made>,
) -> Model {
    let spec = network.input().clone();
    let [c, h, w] = spec.shape;
    let mut nodes = vec![Node {
        name: "input".into(),
        step: Step::Quantize(Quantize {
            mean: spec.mean,
            std: spec.std,
            params: input,
            rounding: match scheme.sq8() {
                Some(_) => Rounding::HalfUp,
                None => Rounding::TiesToEven,
            },
            channels: (0..c).collect(),
        }),
        shape: vec![1, c, h, w],
        params: Some(input),
        weighted: None,
    }];
    let mut params = input;
    let mut layers = Vec::new();
    for (layer, shape) in network.layers().iter().zip(network.shapes()) {
        let z = f64::from(params.zero_point);
        let node = |name: String, step, params, weighted| Node {
            name,
            step,
            shape: shape.clone(),
            params,
            weighted,
        };
        let geometry = match &layer.op {
            Op::Conv2d { geometry, .. } => Some(*geometry),
            _ => None,
        };
        let step = match &layer.op {
            Op::Conv2d {
                weights: Made(made),
                ..
            }
            | Op::Linear {
                weights: Made(made),
            } => {
                let weighted = Some(layers.len());
                let accumulate = Accumulate {
                    geometry,
                    weight: made.weight.clone(),
                    weight_zero_points: made.weight_zero_points.clone(),
                    bias: made.bias.clone(),
                    input_zero_point: made.input_zero_point,
                    padding: params.zero_point,
                    accumulator: Accumulator::Exact,
                };
                let name = format!("{}{ACCUMULATORS}", layer.name);
                nodes.push(node(name, Step::Accumulate(accumulate), None, weighted));
                params = made.origin.params;
                layers.push(made.origin.clone());
                let requantize = Requantize {
                    channels: made.channels.clone(),
                    axis: 1,
                    arithmetic: Arithmetic::Division(Rounding::TiesToEven),
                    overflow: Overflow::Saturate,
                };
                let requantize = Step::Requantize(requantize);
                nodes.push(node(layer.name.clone(), requantize, Some(params), weighted));
                continue;
            }
            Op::Relu => Step::Relu { low: z },
            Op::MaxPool2d(geometry) => Step::MaxPool(*geometry),
            Op::AveragePool2d(geometry) if scheme.sq8().is_some() => {
                Step::AveragePool(AveragePool {
                    geometry: *geometry,
                    // No window is padded, so the mean of the codes holds the zero point.
                    zero_point: 0.0,
                    rounding: MeanRounding::sq8(geometry.window.kernel.iter().product()),
                })
            }
            Op::AveragePool2d(geometry) => Step::AveragePool(AveragePool {
                geometry: *geometry,
                zero_point: z,
                rounding: MeanRounding::Rule(Rounding::TiesToEven),
            }),
            Op::Flatten => Step::Flatten(FlattenOrder::Chw),
            Op::LogSoftmax => Step::Identity,
        };
        nodes.push(node(layer.name.clone(), step, Some(params), None));
    }
    Model {
        network: network.name().to_owned(),
        scheme,
        contract: GOLDEN.into(),
        nodes,
        origin: Origin {
            float: fixture.network.clone(),
            layers,
            input_scale: input.scale,
            input_range: input_range(&spec, &images.calibration),
            affine: scheme.affine(),
            calibration: Arc::new(images.calibration.clone()),
            observed: Arc::new(OnceLock::new()),
            observed_weights: Arc::new(OnceLock::new()),
        },
    }
}
