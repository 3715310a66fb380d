//! The second executor: every layer's output is made codes and real again.
//!
//! Weights and activations are quantized, the layer runs in float32 on what the codes stand
//! for, `s·(q − z)`, and hands on its output converted back in the same way. This is what
//! "fake quantization" computes, and what most published curves of accuracy against bits are
//! made of. Its sums are float32: their order decides the last bit, and a value near a
//! rounding boundary may become either code.

use reference::{Network, Op, ShapeError, Tensor, Weights, network::apply};

use super::AffineNetwork;
use crate::scheme::QuantParams;
use crate::{QuantError, QuantNetwork};

/// A float network whose parameters, and activations if it is asked, pass through codes.
#[derive(Clone, Debug)]
pub struct Simulation {
    network: Network<Weights<f32>>,
    /// Of the input, and of each weighted layer's output; none: weights only.
    activations: Option<(QuantParams, Vec<QuantParams>)>,
}

impl Simulation {
    /// With the quantized weights, float biases, and activations through their codes.
    ///
    /// # Errors
    /// None for a float network that `quantized` was made from.
    pub fn new(
        float: &Network<Weights<f32>>,
        quantized: &AffineNetwork,
    ) -> Result<Self, QuantError> {
        let outputs = quantized.network().weighted().map(|(_, w)| w.output);
        Ok(Self {
            activations: Some((*quantized.input(), outputs.collect())),
            ..Self::weights_only(float, quantized)?
        })
    }

    /// With the quantized weights alone.
    ///
    /// # Errors
    /// As [`Simulation::new`].
    pub fn weights_only(
        float: &Network<Weights<f32>>,
        quantized: &AffineNetwork,
    ) -> Result<Self, QuantError> {
        let mut layers = quantized.network().weighted().map(|(_, w)| w);
        let network = QuantNetwork::body(float)?.try_map_weights(|_, weights| {
            let quantized = layers.next().ok_or(QuantError::Empty)?;
            Ok::<_, QuantError>(Weights {
                weight: quantized.dequantized(),
                bias: weights.bias.clone(),
            })
        })?;
        Ok(Self {
            network,
            activations: None,
        })
    }

    /// The network that runs between the codes.
    pub fn network(&self) -> &Network<Weights<f32>> {
        &self.network
    }

    /// Of the input's codes; none, if weights only are quantized.
    pub fn input_params(&self) -> Option<&QuantParams> {
        self.activations.as_ref().map(|(input, _)| input)
    }

    /// Of each weighted layer's output codes; none, if weights only are quantized.
    pub fn outputs(&self) -> impl Iterator<Item = &QuantParams> {
        self.activations.iter().flat_map(|(_, outputs)| outputs)
    }

    /// What the first layer is given for normalized images.
    pub fn input(&self, images: &Tensor<f32>) -> Tensor<f32> {
        match &self.activations {
            Some((params, _)) => through(images, params),
            None => images.clone(),
        }
    }

    /// The real values of the last layer's codes for normalized images [N, C, H, W].
    ///
    /// # Errors
    /// Images that are not of the network's input shape.
    pub fn forward(&self, images: &Tensor<f32>) -> Result<Tensor<f32>, ShapeError> {
        let last = self.trace(images)?.pop();
        Ok(last.map_or_else(|| images.clone(), |layer| layer.real))
    }

    /// Every layer's output.
    ///
    /// # Errors
    /// Images that are not of the network's input shape.
    pub fn trace(&self, images: &Tensor<f32>) -> Result<Vec<SimulatedLayer>, ShapeError> {
        let input = self.input(images);
        let mut outputs = self.outputs();
        let mut layers: Vec<SimulatedLayer> = Vec::with_capacity(self.network.layers().len());
        for layer in self.network.layers() {
            let x = layers.last().map_or(&input, |previous| &previous.real);
            let before = apply(&layer.op, x)?;
            let params = match layer.op {
                Op::Conv2d { .. } | Op::Linear { .. } => outputs.next(),
                _ => None,
            };
            layers.push(match params {
                Some(params) => SimulatedLayer {
                    real: through(&before, params),
                    before: Some((before, *params)),
                },
                None => SimulatedLayer {
                    real: before,
                    before: None,
                },
            });
        }
        Ok(layers)
    }
}

/// To codes and back.
fn through(x: &Tensor<f32>, params: &QuantParams) -> Tensor<f32> {
    x.map(|x| params.round_trip(x))
}

/// One layer of a simulation.
#[derive(Clone, Debug)]
pub struct SimulatedLayer {
    /// What is handed to the next layer.
    pub real: Tensor<f32>,
    /// The float output before it was made codes, and their parameters.
    pub before: Option<(Tensor<f32>, QuantParams)>,
}
