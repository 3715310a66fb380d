//! The integer network for every scheme: zero points, scales per channel, 1 to 16 bits.
//!
//! The absolute convention (eq. 13, 22): S_O is the real value of one output code, and the
//! accumulator is multiplied by `M = s_W · s_I / S_O`.

mod differences;
mod exact;
mod executor;
mod golden;
mod simulate;

use reference::{Network, Op, ShapeError, Tensor, WeightShape, Weights, network::apply};

use crate::observers::{Range, moving_average};
use crate::scheme::{Granularity, ObservedAt, QuantParams, Scheme, TensorScheme};
use crate::{QuantError, QuantNetwork};

pub use differences::Difference;
pub use exact::ExactInFloats;
pub use executor::Executor;
pub use golden::{AffineTrace, AffineTraceLayer};
pub use simulate::{SimulatedLayer, Simulation};

/// The integer parameters of a weighted layer.
#[derive(Clone, Debug, PartialEq)]
pub struct AffineWeights {
    /// W_q: OIHW of a convolution, [out, in] of a linear layer.
    pub codes: Tensor<i32>,
    /// Of the weights: one, or one an output channel.
    pub params: Vec<QuantParams>,
    /// β_q, one an output channel.
    pub bias: Option<Vec<i64>>,
    /// M, one an output channel.
    pub multipliers: Vec<f64>,
    /// Of the output's codes.
    pub output: QuantParams,
}

impl WeightShape for AffineWeights {
    fn weight_shape(&self) -> &[usize] {
        self.codes.shape()
    }
    fn bias_len(&self) -> Option<usize> {
        self.bias.as_ref().map(Vec::len)
    }
}

impl AffineWeights {
    /// The layer with the multipliers that its scales give: `s_W · s_I / S_O` in float64.
    pub fn new(
        codes: Tensor<i32>,
        params: Vec<QuantParams>,
        bias: Option<Vec<i64>>,
        input: &QuantParams,
        output: QuantParams,
    ) -> Self {
        let outputs = codes.shape().first().copied().unwrap_or(0);
        let mut weights = Self {
            codes,
            params,
            bias,
            multipliers: Vec::new(),
            output,
        };
        weights.multipliers = (0..outputs)
            .map(|o| weights.channel(o).scale.wide() * input.scale.wide() / output.scale.wide())
            .collect();
        weights
    }

    /// The parameters of an output channel's weights.
    pub fn channel(&self, o: usize) -> &QuantParams {
        &self.params[if self.params.len() == 1 { 0 } else { o }]
    }

    /// W_q − z_W.
    pub fn shifted(&self) -> Tensor<i32> {
        (self.codes).map_along(0, |o, code| code - self.channel(o).zero_point)
    }

    /// Eq. 22 of an accumulator of this output channel: an integer that float64 holds.
    pub fn code(&self, channel: usize, acc: f64) -> i32 {
        golden::code(acc, self.multipliers[channel], &self.output)
    }

    /// Ŵ = s_W · (W_q − z_W), in float32.
    fn dequantized(&self) -> Tensor<f32> {
        (self.codes).map_along(0, |o, code| self.channel(o).dequantize(code))
    }
}

/// What activations were seen to be.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedRanges {
    /// Of the input.
    pub input: Range,
    /// Of every weighted layer's output.
    pub outputs: Vec<Range>,
}

/// The activations of a network over calibration images, kept so that many schemes can be
/// made from one run.
#[derive(Clone, Debug)]
pub struct Calibration {
    images: usize,
    input: Vec<f32>,
    /// Name, output of each weighted layer, and whether a ReLU follows.
    outputs: Vec<(String, Vec<f32>, bool)>,
}

impl Calibration {
    /// Runs the network over `images` [N, C, H, W] (normalized). Activations are evaluated
    /// in f64 and each rounded once to f32, so that they do not depend on the order of sums.
    ///
    /// # Errors
    /// Images that are not the network's.
    pub fn run(network: &Network<Weights<f32>>, images: &Tensor<f32>) -> Result<Self, QuantError> {
        let wide = network.cast::<f64>();
        let mut x = images.map(f64::from);
        let mut outputs = Vec::new();
        let mut layers = wide.layers().iter().peekable();
        while let Some(layer) = layers.next() {
            x = apply(&layer.op, &x)?;
            if layer.weights().is_some() {
                let relu = layers
                    .peek()
                    .is_some_and(|next| matches!(next.op, Op::Relu));
                outputs.push((layer.name.clone(), x.map(|a| a as f32).into_data(), relu));
            }
        }
        Ok(Self {
            images: images.shape()[0],
            input: images.data().to_vec(),
            outputs,
        })
    }

    /// The ranges that a scheme's observer takes of them.
    ///
    /// # Errors
    /// An activation that has no range.
    pub fn ranges(&self, scheme: &Scheme) -> Result<ObservedRanges, QuantError> {
        let TensorScheme {
            grid,
            symmetry,
            observer,
            ..
        } = scheme.activations;
        self.observe(scheme.observed_at, |values| {
            observer.range(values, grid, symmetry)
        })
    }

    /// Ranges that follow the images in at most `batches` parts of whole images, each moving
    /// them by its part `c`.
    ///
    /// # Errors
    /// An activation that has no range.
    pub fn moving_ranges(
        &self,
        observed_at: ObservedAt,
        batches: usize,
        c: f32,
    ) -> Result<ObservedRanges, QuantError> {
        self.observe(observed_at, |values| {
            let item = values.len() / self.images.max(1);
            let part = self.images.div_ceil(batches.max(1)) * item;
            moving_average(values.chunks(part.max(1)), c)
        })
    }

    fn observe(
        &self,
        observed_at: ObservedAt,
        range: impl Fn(&[f32]) -> Result<Range, QuantError>,
    ) -> Result<ObservedRanges, QuantError> {
        let of = |(name, values, relu): &(String, Vec<f32>, bool)| {
            let range = match *relu && observed_at == ObservedAt::AfterRelu {
                true => range(&values.iter().map(|a| a.max(0.0)).collect::<Vec<_>>()),
                false => range(values),
            };
            range.map_err(|error| error.in_layer(name))
        };
        Ok(ObservedRanges {
            input: range(&self.input)?,
            outputs: self.outputs.iter().map(of).collect::<Result<_, _>>()?,
        })
    }

    /// The output of each weighted layer over all images, with its name, and whether a ReLU
    /// follows it.
    pub fn outputs(&self) -> impl Iterator<Item = (&str, &[f32], bool)> {
        (self.outputs.iter()).map(|(name, values, relu)| (name.as_str(), values.as_slice(), *relu))
    }

    /// The input.
    pub fn input(&self) -> &[f32] {
        &self.input
    }
}

/// An integer network in any scheme.
#[derive(Clone, Debug, PartialEq)]
pub struct AffineNetwork {
    network: Network<AffineWeights>,
    input: QuantParams,
    reach: Vec<i64>,
}

impl AffineNetwork {
    /// Quantizes a float network: weights by their own ranges, activations by the observed
    /// ones, biases in steps of the accumulator (float64, halves to even).
    ///
    /// # Errors
    /// A layer that cannot be quantized, by name; ranges that are not one for each weighted
    /// layer; an operator that has no integer form.
    pub fn quantize(
        float: &Network<Weights<f32>>,
        observed: &ObservedRanges,
        scheme: Scheme,
    ) -> Result<Self, QuantError> {
        let weighted = float.weighted().count();
        if weighted != observed.outputs.len() {
            return Err(QuantError::Ranges {
                expected: weighted,
                got: observed.outputs.len(),
            });
        }
        let of_range = |range| {
            QuantParams::of_range(range, scheme.activations.grid, scheme.activations.symmetry)
        };
        let input = of_range(observed.input).map_err(|error| error.in_layer("input"))?;
        let mut previous = input;
        let mut ranges = observed.outputs.iter();
        let network = QuantNetwork::body(float)?.try_map_weights(|name, weights| {
            let range = ranges.next().copied().ok_or(QuantError::Empty)?;
            let output = of_range(range).map_err(|error| error.in_layer(name))?;
            let layer = quantize_layer(weights, &scheme.weights, previous, output)
                .map_err(|error| error.in_layer(name))?;
            previous = output;
            Ok::<_, QuantError>(layer)
        })?;
        Self::new(network, input)
    }

    /// The network with these codes; `input` is of its input's codes.
    ///
    /// # Errors
    /// An operator that has no integer form, parameters that do not fit their codes, or
    /// accumulators that float64 does not hold exactly: they are multiplied there.
    pub fn new(network: Network<AffineWeights>, input: QuantParams) -> Result<Self, QuantError> {
        if let Some(layer) = (network.layers().iter()).find(|l| matches!(l.op, Op::LogSoftmax)) {
            let error = QuantError::Unsupported(
                "log-softmax has no integer form except as the last layer, where it is left out",
            );
            return Err(error.in_layer(&layer.name));
        }
        let mut previous = &input;
        let reach = (network.weighted())
            .map(|(name, layer)| {
                let checked = check(layer).and_then(|()| reach(layer, previous));
                previous = &layer.output;
                checked.map_err(|error| error.in_layer(name))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            network,
            input,
            reach,
        })
    }

    /// The layers with their codes.
    pub fn network(&self) -> &Network<AffineWeights> {
        &self.network
    }

    /// Of the input's codes.
    pub fn input(&self) -> &QuantParams {
        &self.input
    }

    /// The largest |acc| of each weighted layer over all inputs (eq. 14).
    pub fn reach(&self) -> &[i64] {
        &self.reach
    }
}

/// One parameter, or one a channel, all of one grid that holds every code.
fn check(layer: &AffineWeights) -> Result<(), QuantError> {
    let outputs = layer.codes.shape().first().copied().unwrap_or(0);
    let lengths = [
        ("multipliers", layer.multipliers.len()),
        (
            "parameters of the weights",
            match layer.params.len() {
                1 => outputs,
                several => several,
            },
        ),
    ];
    for (what, got) in lengths {
        if got != outputs || outputs == 0 {
            return Err(QuantError::Shape(ShapeError::Mismatch {
                what,
                expected: outputs.max(1),
                got,
            }));
        }
    }
    let grid = layer.params[0].grid;
    for params in &layer.params {
        if params.grid != grid || !grid.is_valid() {
            return Err(QuantError::Grid(params.grid));
        }
        params.check_zero_point()?;
    }
    layer.output.check_zero_point()?;
    match (layer.codes.data().iter()).find(|&&code| !grid.holds(code)) {
        Some(&code) => Err(QuantError::Code { code, grid }),
        None => Ok(()),
    }
}

/// The largest |acc| of a layer whose input has these codes.
fn reach(layer: &AffineWeights, input: &QuantParams) -> Result<i64, QuantError> {
    let codes = layer.shifted();
    let mut most = 0;
    for channel in 0..layer.multipliers.len() {
        let sum: i128 = (codes.item(channel).iter())
            .map(|&code| i128::from(code.unsigned_abs()))
            .sum();
        let bias = layer
            .bias
            .as_ref()
            .map_or(0, |bias| i128::from(bias[channel]));
        let bound = sum * i128::from(largest(input)) + bias.abs();
        match i64::try_from(bound) {
            Ok(narrow) if bound < 1 << f64::MANTISSA_DIGITS => most = narrow.max(most),
            _ => {
                return Err(QuantError::AccumulatorOverflow {
                    channel,
                    bound,
                    bits: f64::MANTISSA_DIGITS + 1,
                });
            }
        }
    }
    Ok(most)
}

/// The largest |q − z|.
fn largest(params: &QuantParams) -> i64 {
    let ends = [params.grid.low(), params.grid.high()];
    let far = ends.map(|code| i64::from((code - params.zero_point).abs()));
    far[0].max(far[1])
}

fn quantize_layer(
    float: &Weights<f32>,
    scheme: &TensorScheme,
    input: QuantParams,
    output: QuantParams,
) -> Result<AffineWeights, QuantError> {
    let outputs = float.weight.shape()[0];
    let of = |values: &[f32]| {
        let range = scheme
            .observer
            .range(values, scheme.grid, scheme.symmetry)?;
        QuantParams::of_range(range, scheme.grid, scheme.symmetry)
    };
    let params: Vec<QuantParams> = match scheme.granularity {
        Granularity::PerTensor => vec![of(float.weight.data())?],
        Granularity::PerChannel => {
            let channels = (0..outputs).map(|o| of(float.weight.item(o)));
            channels.collect::<Result<_, _>>()?
        }
    };
    let channel = |o: usize| params[if params.len() == 1 { 0 } else { o }];
    let codes = (float.weight).map_along(0, |o, w| channel(o).quantize(w));
    let steps: Vec<f64> = (0..outputs)
        .map(|o| channel(o).scale.wide() * input.scale.wide())
        .collect();
    let bias = (float.bias.as_ref())
        .map(|bias| {
            let codes = bias.iter().zip(&steps).enumerate();
            codes
                .map(|(index, (&value, step))| {
                    let code = (f64::from(value) / step).round_ties_even();
                    // Beyond 2⁵³ an f64 is no longer every integer.
                    match code.abs() < 2f64.powi(f64::MANTISSA_DIGITS as i32) {
                        true => Ok(code as i64),
                        false if value.is_finite() => Err(QuantError::BiasOverflow {
                            index,
                            bias: value,
                            code,
                            bits: f64::MANTISSA_DIGITS + 1,
                        }),
                        false => Err(QuantError::NotFinite { index, value }),
                    }
                })
                .collect::<Result<Vec<i64>, _>>()
        })
        .transpose()?;
    Ok(AffineWeights::new(codes, params, bias, &input, output))
}
