//! Every scheme on every network: ranges, scales, zero points, codes and accumulators are
//! PyTorch's, bit for bit; the float32 simulation but for values at a rounding boundary.

use std::sync::OnceLock;

use fixtures::scheme::{SchemeFixture, SchemeFixtures};
use fixtures::{Fixtures, ImageSet, NETWORKS, NetworkFixture};
use quant::affine::{AffineNetwork, Calibration, Simulation};
use quant::observers::{Range, moving_average};
use reference::{Network, Tensor, Weights};
use rstest::rstest;

use crate::pytorch::{TRACED, assert_integers, hash, output_codes};

struct Bench {
    float: Network<Weights<f32>>,
    calibration: Calibration,
    images: Tensor<f32>,
    schemes: SchemeFixtures,
    /// Each scheme's network, made when it is first asked for: calibrating takes longest.
    quantized: Vec<OnceLock<AffineNetwork>>,
    calibration_images: Tensor<f32>,
}

impl Bench {
    /// Of a network, made once.
    fn of(name: &str) -> &'static Self {
        static BENCHES: [OnceLock<Bench>; NETWORKS.len()] = [const { OnceLock::new() }; _];
        let at = NETWORKS.iter().position(|&network| network == name);
        BENCHES[at.unwrap()].get_or_init(|| Self::new(name))
    }

    fn new(name: &str) -> Self {
        let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
        let fixture = NetworkFixture::load(&fixtures, name).unwrap();
        let images = ImageSet::load(&fixtures, &fixture.data).unwrap();
        let input = fixture.network.input();
        let calibration_images = input.normalize(&images.calibration);
        let schemes = SchemeFixtures::load(&fixtures, name).unwrap();
        Self {
            quantized: vec![OnceLock::new(); schemes.schemes.len()],
            calibration: Calibration::run(&fixture.network, &calibration_images).unwrap(),
            images: input.normalize(&images.pixels),
            schemes,
            float: fixture.network,
            calibration_images,
        }
    }

    /// The network of a scheme of [`Self::schemes`], whose observed ranges are PyTorch's.
    fn quantized(&self, scheme: &SchemeFixture) -> &AffineNetwork {
        let at = (self.schemes.schemes.iter()).position(|other| other.name == scheme.name);
        self.quantized[at.unwrap()].get_or_init(|| self.quantize(scheme))
    }

    fn quantize(&self, scheme: &SchemeFixture) -> AffineNetwork {
        let ranges = self.calibration.ranges(&scheme.scheme).unwrap();
        let got: Vec<Range> = [vec![ranges.input], ranges.outputs.clone()].concat();
        let golden = scheme.layers.iter().map(|layer| layer.output.range);
        let expected: Vec<Range> = [scheme.input.range].into_iter().chain(golden).collect();
        assert_eq!(got, expected, "{}: observed ranges", scheme.name);
        AffineNetwork::quantize(&self.float, &ranges, scheme.scheme).unwrap()
    }
}

#[rstest]
fn integers_are_exactly_pytorchs(
    #[values("lab", "lab-bias", "lenet5-cifar10", "lenet5-mnist", "mlp-mnist")] name: &str,
) {
    let bench = Bench::of(name);
    let traced = bench.images.head(TRACED);
    assert!(bench.schemes.schemes.len() > 25);
    for golden in &bench.schemes.schemes {
        assert_integers(bench.quantized(golden), golden, &traced, name);
    }
}

/// The fast executor on all images, on some schemes of each kind: PyTorch's codes too.
#[rstest]
fn all_images_have_pytorchs_output_codes(
    #[values("lab", "lenet5-cifar10", "lenet5-mnist", "mlp-mnist")] name: &str,
) {
    let bench = Bench::of(name);
    let chosen = [
        "symmetric_2",
        "asymmetric_4",
        "asymmetric_8",
        "asymmetric_16",
        "per_channel_4",
    ];
    let mut compared = 0;
    for golden in (bench.schemes.schemes.iter()).filter(|s| chosen.contains(&s.name.as_str())) {
        let codes = output_codes(bench.quantized(golden).clone(), &bench.images);
        let at = format!("{name}, {}", golden.name);
        assert_eq!(hash(&codes, i32::to_le_bytes), golden.output_codes, "{at}");
        compared += codes.shape()[0];
    }
    assert_eq!(compared, chosen.len() * 1000);
}

/// `torch.fake_quantize_*` multiplies by 1/s where eq. 1 divides by s: its codes are those,
/// and for some weights not the same.
#[test]
fn fake_quantize_multiplies_by_the_inverse() {
    let (mut codes, mut differing) = (0, 0);
    for name in NETWORKS {
        let bench = Bench::of(name);
        for golden in &bench.schemes.schemes {
            let network = bench.quantized(golden);
            let layers = network.network().weighted().zip(bench.float.weighted());
            for (((layer, got), (_, float)), golden) in layers.zip(&golden.layers) {
                let faked = float.weight.map_along(0, |o, w| {
                    let params = got.channel(o);
                    let quotient = f64::from(w * (1.0 / params.scale.get()));
                    let rounded = quotient.round_ties_even() + f64::from(params.zero_point);
                    params.grid.clamp(rounded)
                });
                let expected = &golden.fake_quantized_codes;
                assert_eq!(&hash(&faked, i32::to_le_bytes), expected, "{name}, {layer}");
                codes += faked.data().len();
                let pairs = faked.data().iter().zip(got.codes.data());
                differing += pairs.filter(|(a, b)| a != b).count();
            }
        }
    }
    println!("{differing} of {codes} weight codes differ");
    assert!(
        differing > 0 && differing < codes / 1000,
        "{differing} of {codes}"
    );
}

/// Codes of the simulation differ from PyTorch's only where the value before rounding lies
/// within the derived float32 bound of a rounding boundary.
#[rstest]
fn the_simulation_is_pytorchs_but_at_rounding_boundaries(
    #[values("lab", "lab-bias", "lenet5-cifar10", "lenet5-mnist", "mlp-mnist")] name: &str,
) {
    let bench = Bench::of(name);
    let (mut compared, mut explained) = (0, 0);
    let stored = (bench.schemes.schemes.iter()).filter(|scheme| !scheme.simulated.is_empty());
    for golden in stored {
        let network = bench.quantized(golden);
        let simulation = Simulation::new(&bench.float, network).unwrap();
        let images = bench.images.head(golden.simulated[0].shape()[0]);
        let differences = simulation.differences(&images, &golden.simulated).unwrap();
        for difference in &differences {
            let at = format!("{name}, {}: {difference:?}", golden.name);
            assert!(difference.is_explained(), "{at}");
        }
        explained += differences.len();
        let codes = golden.simulated.iter().map(|layer| layer.data().len());
        compared += codes.sum::<usize>();
    }
    println!("{name}: {compared} codes, {explained} at a rounding boundary");
    assert!(compared > 1000);
}

/// A code that is not PyTorch's is found, named, and not explained; so is one too few.
#[test]
fn a_wrong_code_of_the_simulation_is_found() {
    let bench = Bench::of("mlp-mnist");
    let golden = (bench.schemes.schemes.iter()).find(|s| !s.simulated.is_empty());
    let mut golden = golden.unwrap().clone();
    let simulation = Simulation::new(&bench.float, bench.quantized(&golden)).unwrap();
    let images = bench.images.head(golden.simulated[0].shape()[0]);
    let before = simulation.differences(&images, &golden.simulated).unwrap();
    let second = &golden.simulated[1];
    let mut codes = second.data().to_vec();
    codes[second.item_len() + 3] += 1;
    let expected = i32::from(codes[second.item_len() + 3]);
    golden.simulated[1] = Tensor::new(second.shape(), codes).unwrap();
    let after = simulation.differences(&images, &golden.simulated).unwrap();
    let found: Vec<_> = (after.iter().filter(|d| !d.is_explained())).collect();
    assert_eq!(before.len(), 0);
    // What a layer is given are PyTorch's codes, so the one after it may differ as well.
    assert_eq!(found[0].layer, golden.layers[1].name);
    assert_eq!(found[0].position, [1, 3]);
    assert_eq!((found[0].code, found[0].expected), (expected - 1, expected));
    golden.simulated.pop();
    assert!(simulation.differences(&images, &golden.simulated).is_err());
}

#[test]
fn a_moving_average_is_pytorchs() {
    for name in NETWORKS {
        let bench = Bench::of(name);
        let batches: Vec<Vec<f32>> = (bench.calibration_images.data())
            .chunks(100 * bench.calibration_images.item_len())
            .zip(0..)
            .map(|(batch, i)| batch.iter().map(|x| x / 2f32.powi(i)).collect())
            .collect();
        assert_eq!(batches.len(), 4);
        let range = moving_average(batches.iter().map(Vec::as_slice), 0.25).unwrap();
        assert_eq!(range, bench.schemes.moving_average, "{name}");
    }
}
