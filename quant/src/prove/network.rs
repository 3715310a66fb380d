//! Random networks through the golden interpreter.

use reference::ops::AveragePoolGeometry;
use reference::{Conv2dGeometry, InputSpec, Layer, Network, Op, PoolGeometry, Weights};

use super::{Finding, Random};
use crate::bounds::int8::{Codes, a_posteriori};
use crate::calibrator::calibrate;
use crate::{QuantNetwork, Rounding};

/// Calibrates and quantizes a random network of `depth` weighted layers and runs it on
/// inputs beyond the calibrated range. `None` if it cannot be quantized (a layer that only
/// gives zeros).
pub fn network(seed: u64, depth: usize, rounding: Rounding) -> Option<Finding> {
    let mut random = Random::new(seed);
    let network = random_network(&mut random, depth)?;
    let mut images = |items, magnitude| {
        random.tensor(&[&[items], &network.input().shape[..]].concat(), magnitude)
    };
    let ranges = calibrate(&network, &images(3, 1.0)?).ok()?;
    let quant = QuantNetwork::quantize(&network, &ranges, rounding).ok()?;
    // Clamping is part of the bound.
    let images = images(2, 1.5)?;
    let bounds = a_posteriori(&network, &quant, &images).ok()?;
    let trace = quant.trace(&images).ok()?;
    let layers = || bounds.iter().zip(&trace.layers);
    let shares = layers().map(|(bound, layer)| bound.used(&layer.codes).0);
    let reach = Codes::int8(rounding).reach;
    let inside = layers().map(|(bound, layer)| bound.used_inside(&layer.codes, reach));
    let covered = (network.layers().iter())
        .map(|layer| match layer.op {
            Op::Conv2d { .. } => "convolution",
            Op::Linear { .. } => "linear",
            Op::Relu => "relu",
            Op::MaxPool2d(_) => "max-pool",
            Op::AveragePool2d(_) => "average-pool",
            Op::Flatten => "flatten",
            Op::LogSoftmax => "log-softmax",
        })
        .collect();
    Some(Finding {
        share: shares.fold(0.0, f64::max),
        inside: inside.fold(0.0, f64::max),
        covered,
    })
}

/// Convolutions, ReLUs and pools, then linear layers.
pub fn random_network(random: &mut Random, depth: usize) -> Option<Network<Weights<f32>>> {
    let shape = [
        1 + random.below(3),
        4 + random.below(5),
        4 + random.below(5),
    ];
    let mut current = shape;
    let mut layers: Vec<Layer<Weights<f32>>> = Vec::new();
    let mut push = |op| {
        let name = format!("layer{}", layers.len());
        layers.push(Layer { name, op });
    };
    let mut features = None;
    for _ in 0..depth {
        if features.is_none() && !random.one_in(3) && current[1] >= 3 && current[2] >= 3 {
            let outputs = 1 + random.below(4);
            let geometry = Conv2dGeometry {
                padding: [random.below(2), random.below(2)],
                ..Conv2dGeometry::default()
            };
            push(Op::Conv2d {
                geometry,
                weights: random.weights(&[outputs, current[0], 3, 3])?,
            });
            let [rows, columns] = geometry.padding;
            current = [
                outputs,
                current[1] + 2 * rows - 2,
                current[2] + 2 * columns - 2,
            ];
        } else {
            let inputs = features.unwrap_or_else(|| {
                push(Op::Flatten);
                current.iter().product()
            });
            let outputs = 1 + random.below(12);
            push(Op::Linear {
                weights: random.weights(&[outputs, inputs])?,
            });
            features = Some(outputs);
        }
        if random.one_in(2) {
            push(Op::Relu);
        }
        if features.is_none() && current[1] >= 2 && current[2] >= 2 && random.one_in(2) {
            let window = PoolGeometry {
                kernel: [2, 2],
                stride: [2, 2],
                padding: [0, 0],
            };
            push(match random.one_in(2) {
                true => Op::MaxPool2d(window),
                false => Op::AveragePool2d(AveragePoolGeometry {
                    window,
                    count_include_pad: true,
                }),
            });
            current = [current[0], current[1] / 2, current[2] / 2];
        }
    }
    let input = InputSpec {
        shape,
        mean: 0.0,
        std: 1.0,
    };
    Network::new("random", input, layers).ok()
}
