//! How near can the error come to the bound?
//!
//! Every weight and every input is placed just below halfway between two codes, all signs
//! alike, so that all are rounded the same way and no error cancels another; then the
//! output's range is searched for one that puts the accumulators just below halfway too.

use reference::{Conv2dGeometry, InputSpec, Layer, Network, Op, Tensor, Weights};

use super::Random;
use crate::bounds::int8::a_posteriori;
use crate::calibrator::{Ranges, calibrate};
use crate::{QuantNetwork, Rounding};

/// The network whose bound is attacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attack {
    /// One linear layer.
    Linear,
    /// One convolution, 3×3.
    Convolution,
    /// Two linear layers with a ReLU between them.
    TwoLayers,
}

impl Attack {
    /// Every attack.
    pub const ALL: [Self; 3] = [Self::Linear, Self::Convolution, Self::TwoLayers];

    /// What is attacked.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "one linear layer",
            Self::Convolution => "one convolution",
            Self::TwoLayers => "two layers",
        }
    }
}

/// How far below halfway, in steps: near, but further than float32 rounds.
const BELOW: f32 = 1.0 / 256.0;
/// How many ranges are tried for an output.
const RANGES: usize = 400;

/// The largest share of the bound of the last layer that any output comes to; random
/// codes from `seed`.
pub fn attack(attack: Attack, seed: u64) -> Option<f64> {
    let mut random = Random::new(seed);
    let (shape, layers) = match attack {
        Attack::Linear => {
            let inputs = 16 + random.below(100);
            let layers = vec![flatten(), fully_connected(&mut random, "fc1", inputs, 1)?];
            ([inputs, 1, 1], layers)
        }
        Attack::Convolution => {
            let channels = 2 + random.below(6);
            let weights = weights(&mut random, &[1, channels, 3, 3])?;
            let geometry = Conv2dGeometry::default();
            let op = Op::Conv2d { geometry, weights };
            ([channels, 3, 3], vec![named("conv1", op)])
        }
        Attack::TwoLayers => {
            let (inputs, hidden) = (16 + random.below(50), 8 + random.below(24));
            let mut layers = vec![flatten()];
            layers.push(fully_connected(&mut random, "fc1", inputs, hidden)?);
            layers.push(named("relu1", Op::Relu));
            layers.push(fully_connected(&mut random, "fc2", hidden, 1)?);
            ([inputs, 1, 1], layers)
        }
    };
    let input = InputSpec {
        shape,
        mean: 0.0,
        std: 1.0,
    };
    let network = Network::new("adversary", input, layers).ok()?;
    let images = just_below(&mut random, &[&[1], &shape[..]].concat())?;
    let mut ranges = calibrate(&network, &images).ok()?;
    // The range of the calibration images, of which this need not be one.
    ranges.input = 1.0;
    let mut best = 0.0;
    for layer in 0..ranges.outputs.len() {
        best = search(&network, &images, &mut ranges, layer)?;
    }
    Some(best)
}

/// Widens one layer's range step by step, and keeps what brings the layer nearest to its
/// bound.
fn search(
    network: &Network<Weights<f32>>,
    images: &Tensor<f32>,
    ranges: &mut Ranges,
    layer: usize,
) -> Option<f64> {
    let (narrowest, mut best, mut kept) = (ranges.outputs[layer], 0.0, ranges.outputs[layer]);
    for step in 0..RANGES {
        ranges.outputs[layer] = narrowest * (1.0 + step as f32 / RANGES as f32);
        let quant = QuantNetwork::quantize(network, ranges, Rounding::TiesToEven).ok()?;
        let bounds = a_posteriori(network, &quant, images).ok()?;
        let trace = quant.trace(images).ok()?;
        let weighted = network.layers().iter().enumerate();
        let (at, _) = weighted.filter(|(_, l)| l.weights().is_some()).nth(layer)?;
        let share = bounds[at].used(&trace.layers[at].codes).0;
        if share > best {
            (best, kept) = (share, ranges.outputs[layer]);
        }
    }
    ranges.outputs[layer] = kept;
    Some(best)
}

fn named(name: &str, op: Op<Weights<f32>>) -> Layer<Weights<f32>> {
    Layer {
        name: name.into(),
        op,
    }
}

fn flatten() -> Layer<Weights<f32>> {
    named("flatten", Op::Flatten)
}

fn fully_connected(
    random: &mut Random,
    name: &str,
    inputs: usize,
    outputs: usize,
) -> Option<Layer<Weights<f32>>> {
    let weights = weights(random, &[outputs, inputs])?;
    Some(named(name, Op::Linear { weights }))
}

/// One row of values just below halfway, the same for every output, so that all err alike.
/// Its largest value is 1, so a code is worth 1/127.
fn weights(random: &mut Random, shape: &[usize]) -> Option<Weights<f32>> {
    let row = just_below(random, &[&[1], &shape[1..]].concat())?.into_data();
    Some(Weights {
        weight: Tensor::new(shape, row.repeat(shape[0])).ok()?,
        bias: None,
    })
}

fn just_below(random: &mut Random, shape: &[usize]) -> Option<Tensor<f32>> {
    let count = shape.iter().product();
    let mut values: Vec<f32> = (0..count)
        .map(|_| ((1 + random.below(100)) as f32 + 0.5 - BELOW) / 127.0)
        .collect();
    values[0] = 1.0;
    Tensor::new(shape, values).ok()
}
