//! Every scheme on every network: ranges, scales, zero points, codes and accumulators are
//! PyTorch's, bit for bit; the float32 simulation but for values at a rounding boundary.

use fixtures::scheme::{ParamsGolden, SchemeFixture, SchemeFixtures};
use fixtures::store::sha256;
use fixtures::{Fixtures, ImageSet, NetworkFixture};
use quant::affine::{AffineNetwork, Calibration, ExactInFloats, Simulation};
use quant::bounds::{disagreement, to_rounding_boundary};
use quant::observers::{Range, moving_average};
use quant::scheme::QuantParams;
use reference::{Network, Tensor, Weights};
use rstest::rstest;

struct Bench {
    float: Network<Weights<f32>>,
    calibration: Calibration,
    images: Tensor<f32>,
    schemes: SchemeFixtures,
    calibration_images: Tensor<f32>,
}

impl Bench {
    fn new(name: &str) -> Self {
        let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
        let fixture = NetworkFixture::load(&fixtures, name).unwrap();
        let images = ImageSet::load(&fixtures, &fixture.data).unwrap();
        let input = fixture.network.input();
        let calibration_images = input.normalize(&images.calibration);
        Self {
            calibration: Calibration::run(&fixture.network, &calibration_images).unwrap(),
            images: input.normalize(&images.pixels),
            schemes: SchemeFixtures::load(&fixtures, name).unwrap(),
            float: fixture.network,
            calibration_images,
        }
    }

    fn quantized(&self, scheme: &SchemeFixture) -> AffineNetwork {
        let ranges = self.calibration.ranges(&scheme.scheme).unwrap();
        let got: Vec<Range> = [vec![ranges.input], ranges.outputs.clone()].concat();
        let golden = scheme.layers.iter().map(|layer| layer.output.range);
        let expected: Vec<Range> = [scheme.input.range].into_iter().chain(golden).collect();
        assert_eq!(got, expected, "{}: observed ranges", scheme.name);
        AffineNetwork::quantize(&self.float, &ranges, scheme.scheme).unwrap()
    }
}

fn hash<E: Copy, const B: usize>(values: &Tensor<E>, bytes: impl Fn(E) -> [u8; B]) -> String {
    sha256(
        &values
            .data()
            .iter()
            .flat_map(|&v| bytes(v))
            .collect::<Vec<u8>>(),
    )
}

fn same(params: &QuantParams, golden: &ParamsGolden, what: &str) {
    let got = (params.scale.get(), params.zero_point);
    assert_eq!(got, (golden.scale, golden.zero_point), "{what}");
}

#[rstest]
fn integers_are_exactly_pytorchs(
    #[values("lab", "lab-bias", "lenet5-cifar10", "lenet5-mnist", "mlp-mnist")] name: &str,
) {
    let bench = Bench::new(name);
    let traced = bench.images.head(16);
    assert!(bench.schemes.schemes.len() > 25);
    for golden in &bench.schemes.schemes {
        let network = bench.quantized(golden);
        let at = |what: &str| format!("{name}, {}, {what}", golden.name);
        same(network.input(), &golden.input, &at("input"));
        let layers: Vec<_> = network.network().weighted().collect();
        assert_eq!(layers.len(), golden.layers.len());
        for ((layer, got), golden) in layers.iter().zip(&golden.layers) {
            assert_eq!(*layer, golden.name);
            same(&got.output, &golden.output, &at(layer));
            assert_eq!(got.params.len(), golden.weights.len());
            for (params, golden) in got.params.iter().zip(&golden.weights) {
                same(params, golden, &at(layer));
            }
            assert_eq!(
                hash(&got.codes, i32::to_le_bytes),
                golden.weight_codes,
                "{}",
                at(layer)
            );
            let bias = got.bias.as_ref().map(|bias| {
                let bias = Tensor::new(&[bias.len()], bias.clone()).unwrap();
                hash(&bias, i64::to_le_bytes)
            });
            assert_eq!(bias, golden.bias_codes, "{}", at(layer));
        }
        let trace = network.trace(&traced).unwrap();
        assert_eq!(
            hash(&trace.input, i32::to_le_bytes),
            golden.input_codes,
            "{}",
            at("input")
        );
        assert_eq!(trace.layers.len(), golden.trace.len());
        for (got, golden) in trace.layers.iter().zip(&golden.trace) {
            assert_eq!(got.name, golden.name);
            let accumulators = got
                .accumulators
                .as_ref()
                .map(|acc| hash(acc, i64::to_le_bytes));
            assert_eq!(accumulators, golden.accumulators, "{}", at(&got.name));
            assert_eq!(
                hash(&got.codes, i32::to_le_bytes),
                golden.codes,
                "{}",
                at(&got.name)
            );
        }
    }
}

/// The fast executor on all images, on some schemes of each kind: PyTorch's codes too.
#[rstest]
fn all_images_have_pytorchs_output_codes(
    #[values("lab", "lenet5-cifar10", "lenet5-mnist", "mlp-mnist")] name: &str,
) {
    let bench = Bench::new(name);
    let chosen = [
        "symmetric_2",
        "asymmetric_4",
        "asymmetric_8",
        "asymmetric_16",
        "per_channel_4",
    ];
    let mut compared = 0;
    for golden in (bench.schemes.schemes.iter()).filter(|s| chosen.contains(&s.name.as_str())) {
        let network = bench.quantized(golden);
        let last = network.network().weighted().last().unwrap().1.output;
        let fast = ExactInFloats::new(network).unwrap();
        let codes = (fast.forward(&bench.images).unwrap()).map(|q| q as i32 + last.zero_point);
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
    for name in fixtures::NETWORKS {
        let bench = Bench::new(name);
        for golden in &bench.schemes.schemes {
            let network = bench.quantized(golden);
            let layers = network.network().weighted().zip(bench.float.weighted());
            for (((layer, got), (_, float)), golden) in layers.zip(&golden.layers) {
                let taps = float.weight.item_len();
                let mut at = 0..;
                let faked = float.weight.map(|w| {
                    let params = got.channel(at.next().unwrap() / taps);
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
    let bench = Bench::new(name);
    let (mut compared, mut explained) = (0, 0);
    for golden in bench
        .schemes
        .schemes
        .iter()
        .filter(|s| !s.simulated.is_empty())
    {
        let network = bench.quantized(golden);
        let simulation = Simulation::new(&bench.float, &network).unwrap();
        let images = bench.images.head(golden.simulated[0].shape()[0]);
        let trace = simulation.trace(&images).unwrap();
        let weighted = (trace.iter().enumerate()).filter(|(_, layer)| layer.before.is_some());
        // How far the input of a layer may lie from PyTorch's: not at all until a code differs.
        let mut apart = false;
        for ((at, layer), expected) in weighted.zip(&golden.simulated) {
            let (before, params) = layer.before.as_ref().unwrap();
            let input = match at {
                0 => simulation.input(&images),
                _ => trace[at - 1].real.clone(),
            };
            let op = &simulation.network().layers()[at].op;
            let same_input = input.map(|_| 0.0);
            let bound = disagreement(op, &input, before, &same_input).unwrap();
            for (i, (&y, &expected)) in before.data().iter().zip(expected.data()).enumerate() {
                compared += 1;
                if params.quantize(y) == i32::from(expected) {
                    continue;
                }
                assert!(
                    !apart,
                    "{name}, {}: layers after a difference are another run",
                    golden.name
                );
                let v = f64::from(y) / params.scale.wide();
                let slack = to_rounding_boundary(y, bound.data()[i], params.scale);
                let to_boundary = ((v - v.floor()) - 0.5).abs();
                assert!(to_boundary <= slack, "{name}, {}: {v}", golden.name);
                explained += 1;
            }
            apart |= explained > 0;
        }
    }
    println!("{name}: {compared} codes, {explained} at a rounding boundary");
    assert!(compared > 1000);
}

#[test]
fn a_moving_average_is_pytorchs() {
    for name in fixtures::NETWORKS {
        let bench = Bench::new(name);
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
