//! The network of any scheme: what comes out of it.

mod case;

use std::collections::BTreeSet;

use quant::affine::{AffineNetwork, Executor};
use quant::prove::Random;
use reference::Tensor;

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

/// Runs the network on every set, twice, so that memory was used. How its layers ran, on each.
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
    // Of the last layer, whose codes are compared, and where they are not all the same few.
    let codes: BTreeSet<i32> = golden.data().iter().map(|&code| code as i32).collect();
    let last = network.network().weighted().last();
    let per_channel = codes.len() > 2
        && last.is_some_and(|(_, weights)| {
            (weights.multipliers.windows(2)).any(|two| two[0] != two[1])
        });
    let mut paths = Vec::new();
    for &set in sets {
        let executor = AffineExecutor::new(network.clone(), set);
        let layers = executor.layers();
        paths.extend(layers.iter().map(|&layer| name(layer)));
        paths.extend(layers.last().and_then(|&last| constants(last, per_channel)));
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

/// In what order certified constants were read, where those of the channels differ.
fn constants(path: LayerPath, per_channel: bool) -> Option<&'static str> {
    match (per_channel && path.certified, path.algorithm) {
        (true, Some("channels")) => Some("channels, per-channel"),
        (true, Some("pixels")) => Some("pixels, per-channel"),
        (true, Some("depthwise")) => Some("depthwise, per-channel"),
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
