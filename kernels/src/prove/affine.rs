//! The network of any scheme: what comes out of it.

mod case;

use std::collections::BTreeSet;

use quant::affine::{AffineNetwork, Executor};
use quant::prove::Random;
use reference::{Layer, Op, Tensor};

use super::{Mismatch, same};
use crate::affine::{LayerPath, Sums};
use crate::{AffineExecutor, Kernels};

pub(super) fn case(
    random: &mut Random,
    sets: &[Kernels],
) -> Result<Option<Vec<&'static str>>, Box<Mismatch>> {
    let network = match random.one_in(2) {
        true => case::layer(random),
        false => case::network(random),
    };
    let Some(network) = network else {
        return Ok(None);
    };
    let images = random_images(random, &network);
    compare(&network, &images, sets).map(Some)
}

/// Runs the network on every set, twice, so that memory was used. How its layers ran on each, and
/// where the constants of single channels show in what comes out.
///
/// # Errors
/// The first set that differs, and where.
///
/// # Panics
/// Images that are not the network's.
pub fn compare(
    network: &AffineNetwork,
    images: &Tensor<f32>,
    sets: &[Kernels],
) -> Result<Vec<&'static str>, Box<Mismatch>> {
    const OWN: &str = "images of the network's shape";
    let golden = network.scores(images).expect(OWN);
    let per_channel = constants_are_seen(network, &golden);
    let mut paths = Vec::new();
    for &set in sets {
        let executor = AffineExecutor::new(network.clone(), set);
        let layers = executor.layers();
        paths.extend(layers.iter().map(|&layer| name(layer)));
        if per_channel {
            paths.extend(layers.last().and_then(|&last| constants(last)));
        }
        for time in ["", ", again"] {
            let got = executor.forward(images).expect(OWN);
            same(&golden, &got, "code less its zero point").map_err(|at| {
                Box::new(Mismatch {
                    isa: set.isa(),
                    case: format!("{network:?}"),
                    at: format!("{at}{time}; its layers ran as {layers:?}"),
                })
            })?;
        }
    }
    Ok(paths)
}

fn name(path: LayerPath) -> &'static str {
    match (path.sums, path.certified) {
        (Sums::Bytes, true) => "bytes, certified",
        (Sums::Bytes, false) => "bytes, formula",
        (Sums::Words, true) => "words, certified",
        (Sums::Words, false) => "words, formula",
        (Sums::Split { parts: 2 }, _) => "two parts",
        (Sums::Split { .. }, _) => "more parts",
        (Sums::Floats, _) => "floats",
    }
}

/// Whether the channels of the last weighted layer have multipliers of their own, and codes of one
/// channel come out as they were made: no mean of them, and not at the clamps alone.
fn constants_are_seen(network: &AffineNetwork, golden: &Tensor<f32>) -> bool {
    let layers = network.network().layers();
    let Some(last) = layers.iter().rposition(|layer| layer.weights().is_some()) else {
        return false;
    };
    let averaged = |layer: &Layer<_>| matches!(layer.op, Op::AveragePool2d(_));
    let differ = (layers[last].weights())
        .is_some_and(|weights| weights.multipliers.windows(2).any(|two| two[0] != two[1]));
    let plane: usize = golden.shape().iter().skip(2).product();
    let inner = |channel: usize| {
        let codes: BTreeSet<i32> = (0..golden.shape()[0])
            .flat_map(|image| &golden.item(image)[channel * plane..][..plane])
            .map(|&code| code as i32)
            .collect();
        codes.len() > 2
    };
    differ && !layers[last..].iter().any(averaged) && (0..golden.shape()[1]).any(inner)
}

/// In what order certified constants were read.
fn constants(path: LayerPath) -> Option<&'static str> {
    match (path.certified, path.sums, path.algorithm) {
        (true, _, Some("channels")) => Some("channels, per-channel"),
        (true, _, Some("pixels")) => Some("pixels, per-channel"),
        (true, _, Some("depthwise")) => Some("depthwise, per-channel"),
        (true, Sums::Bytes, None) => Some("linear, per-channel"),
        (true, Sums::Words, None) => Some("words, per-channel"),
        _ => None,
    }
}

/// Values that are every code, ties, what is beyond, and no number.
pub fn random_images(random: &mut Random, network: &AffineNetwork) -> Tensor<f32> {
    let [c, h, w] = network.network().input().shape;
    let items = random.one_of(&[1, 2, 3, 30]);
    let [low, high] = network.input().reach();
    let fill = random.below(4);
    let values = (0..items * c * h * w).map(|_| match (fill, random.below(20)) {
        (0, _) => random.one_of(&[low as f32, high as f32]),
        (1, 0) => random.one_of(&[f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, 1e30]),
        _ => {
            let halves = random.below(2 * (high - low) as usize + 3) as f64 - 1.0;
            (low + halves / 2.0) as f32
        }
    });
    Tensor::new(&[items, c, h, w], values.collect()).expect("as many values as the shape has")
}
