//! A network trained for the width it is quantized to goes the way of every other: its
//! integers are PyTorch's, bit for bit, and at that width it classifies more images than the
//! network that was trained in float32 alone.

use fixtures::{Fixtures, ImageSet, NetworkFixture, QAT_NETWORK, QatFixture};
use quant::affine::{AffineNetwork, Calibration, ObservedRanges};
use quant::observers::Range;
use quant::scheme::{Scheme, Symmetry};
use reference::{Network, Tensor, Weights};

use crate::pytorch::{TRACED, assert_integers, hash, output_codes};

struct Bench {
    float: Network<Weights<f32>>,
    trained: Vec<QatFixture>,
    images: Tensor<f32>,
    calibration: Tensor<f32>,
    labels: Vec<u8>,
}

impl Bench {
    fn new() -> Self {
        let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
        let fixture = NetworkFixture::load(&fixtures, QAT_NETWORK).unwrap();
        let images = ImageSet::load(&fixtures, &fixture.data).unwrap();
        let input = fixture.network.input();
        Self {
            trained: QatFixture::load(&fixtures, &fixture.network).unwrap(),
            images: input.normalize(&images.pixels),
            calibration: input.normalize(&images.calibration),
            labels: images.labels,
            float: fixture.network,
        }
    }

    /// Which of the committed images a network classifies rightly.
    fn right(&self, classes: &[u8]) -> Vec<bool> {
        (classes.iter().zip(&self.labels).map(|(a, b)| a == b)).collect()
    }
}

/// The class of the largest code, the lowest class of equals.
fn classes(codes: &Tensor<i32>) -> Vec<u8> {
    (0..codes.shape()[0])
        .map(|image| {
            let scores = codes.item(image);
            let most = scores.iter().max().unwrap();
            scores.iter().position(|score| score == most).unwrap() as u8
        })
        .collect()
}

fn quantized(trained: &QatFixture) -> AffineNetwork {
    let scheme = trained.golden.scheme;
    AffineNetwork::quantize(&trained.network, &trained.ranges, scheme).unwrap()
}

#[test]
fn integers_are_exactly_pytorchs() {
    let bench = Bench::new();
    let traced = bench.images.head(TRACED);
    for trained in &bench.trained {
        let golden = &trained.golden;
        let bits = golden.scheme.weights.grid.bits;
        assert_eq!(golden.scheme, Scheme::uniform(bits, Symmetry::Asymmetric));
        let of = |range: Range| (range.low, range.high);
        let ObservedRanges { input, outputs } = &trained.ranges;
        assert_eq!(of(*input), of(golden.input.range), "{}", golden.name);
        for (range, layer) in outputs.iter().zip(&golden.layers) {
            let at = format!("{}, {}", golden.name, layer.name);
            assert_eq!(of(*range), of(layer.output.range), "{at}");
        }
        let network = quantized(trained);
        assert_integers(&network, golden, &traced, QAT_NETWORK);
        let codes = output_codes(network, &bench.images);
        let at = &golden.name;
        assert_eq!(hash(&codes, i32::to_le_bytes), golden.output_codes, "{at}");
        let images = bench.images.shape()[0];
        assert_eq!(classes(&codes), trained.predictions[..images], "{at}");
    }
}

/// On the same images and by the same arithmetic, by more than three standard errors of the
/// difference. The figures for all test images are of the committed predictions.
#[test]
fn training_for_a_width_beats_quantizing_to_it() {
    let bench = Bench::new();
    let widths: Vec<u32> = (bench.trained.iter())
        .map(|trained| trained.golden.scheme.weights.grid.bits)
        .collect();
    assert_eq!(widths, [2, 3, 4]);
    let calibration = Calibration::run(&bench.float, &bench.calibration).unwrap();
    for trained in &bench.trained {
        let scheme = trained.golden.scheme;
        let ranges = calibration.ranges(&scheme).unwrap();
        let after = AffineNetwork::quantize(&bench.float, &ranges, scheme).unwrap();
        let after = bench.right(&classes(&output_codes(after, &bench.images)));
        let during = bench.right(&classes(&output_codes(quantized(trained), &bench.images)));
        let all = bench.right(&trained.predictions);
        let percent = |right: &[bool]| {
            let count = right.iter().filter(|&&right| right).count();
            100.0 * count as f64 / right.len() as f64
        };
        println!(
            "{}: {:.1} % of {} images, quantized after training {:.1} %; {:.2} % of {}",
            trained.golden.name,
            percent(&during),
            during.len(),
            percent(&after),
            percent(&all),
            all.len()
        );
        // Each image that only one of the two classifies rightly is a step of a random walk.
        let only = |a: &[bool], b: &[bool]| {
            let pairs = a.iter().zip(b).filter(|&(&a, &b)| a && !b);
            pairs.count() as f64
        };
        let (gained, lost) = (only(&during, &after), only(&after, &during));
        assert!(
            gained - lost > 3.0 * (gained + lost).sqrt(),
            "{}: {gained} gained, {lost} lost",
            trained.golden.name
        );
    }
}
