//! The bound of eq. 18 to 21 is sound: no code of any random network, on any input, lies
//! further from the real output; and it says something: the committed networks use a
//! good part of it.

use fixtures::{Fixtures, ImageSet, NETWORKS, NetworkFixture};
use proptest::prelude::*;
use quant::bounds::int8::{a_posteriori, a_priori};
use quant::calibrator::calibrate;
use quant::{QuantNetwork, Rounding};
use reference::ops::AveragePoolGeometry;
use reference::{Conv2dGeometry, InputSpec, Layer, Network, Op, PoolGeometry, Tensor, Weights};

struct Random(u64);

impl Random {
    fn unit(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    fn below(&mut self, n: usize) -> usize {
        self.unit();
        (self.0 >> 33) as usize % n
    }

    fn tensor(&mut self, shape: &[usize], magnitude: f32) -> Tensor<f32> {
        let values = (0..shape.iter().product()).map(|_| self.unit() * magnitude);
        Tensor::new(shape, values.collect()).unwrap()
    }

    fn weights(&mut self, shape: &[usize]) -> Weights<f32> {
        let magnitude = 2f32.powi(self.below(9) as i32 - 6);
        Weights {
            weight: self.tensor(shape, magnitude),
            bias: (self.below(2) == 0).then(|| self.tensor(&shape[..1], magnitude).into_data()),
        }
    }

    /// Convolutions, ReLUs and pools, then linear layers.
    fn network(&mut self, depth: usize) -> Network<Weights<f32>> {
        let shape = [1 + self.below(3), 4 + self.below(5), 4 + self.below(5)];
        let mut current = shape;
        let mut layers: Vec<Layer<Weights<f32>>> = Vec::new();
        let mut push = |op| {
            let name = format!("layer{}", layers.len());
            layers.push(Layer { name, op });
        };
        let mut features = None;
        for _ in 0..depth {
            if features.is_none() && self.below(3) > 0 && current[1] >= 3 && current[2] >= 3 {
                let outputs = 1 + self.below(4);
                let geometry = Conv2dGeometry {
                    padding: [self.below(2), self.below(2)],
                    ..Conv2dGeometry::default()
                };
                push(Op::Conv2d {
                    geometry,
                    weights: self.weights(&[outputs, current[0], 3, 3]),
                });
                current = [
                    outputs,
                    current[1] + 2 * geometry.padding[0] - 2,
                    current[2] + 2 * geometry.padding[1] - 2,
                ];
            } else {
                let inputs = features.unwrap_or_else(|| {
                    push(Op::Flatten);
                    current.iter().product()
                });
                let outputs = 1 + self.below(12);
                push(Op::Linear {
                    weights: self.weights(&[outputs, inputs]),
                });
                features = Some(outputs);
            }
            if self.below(2) == 0 {
                push(Op::Relu);
            }
            if features.is_none() && current[1] >= 2 && current[2] >= 2 && self.below(2) == 0 {
                let window = PoolGeometry {
                    kernel: [2, 2],
                    stride: [2, 2],
                    padding: [0, 0],
                };
                push(match self.below(2) {
                    0 => Op::MaxPool2d(window),
                    _ => Op::AveragePool2d(AveragePoolGeometry {
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
        Network::new("random", input, layers).unwrap()
    }
}

/// The largest share of the bound that any code uses; above 1 is a violation.
fn largest_share(seed: u64, depth: usize, rounding: Rounding) -> Option<f64> {
    let mut random = Random(seed);
    let network = random.network(depth);
    let shape = |items| [&[items], &network.input().shape[..]].concat();
    let calibration = random.tensor(&shape(3), 1.0);
    let ranges = calibrate(&network, &calibration).ok()?;
    let quant = QuantNetwork::quantize(&network, &ranges, rounding).ok()?;
    // Inputs beyond the calibrated range: clamping is part of the bound.
    let images = random.tensor(&shape(2), 1.5);
    let bounds = a_posteriori(&network, &quant, &images).unwrap();
    let trace = quant.trace(&images).unwrap();
    Some(
        bounds
            .iter()
            .zip(&trace.layers)
            .map(|(b, layer)| b.used(&layer.codes).0)
            .fold(0.0, f64::max),
    )
}

fn rounding() -> impl Strategy<Value = Rounding> {
    prop::sample::select(Rounding::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_single_layer_leaves_its_bound(seed: u64, rounding in rounding()) {
        if let Some(share) = largest_share(seed, 1, rounding) {
            prop_assert!(share <= 1.0, "{share}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_network_leaves_its_bound(seed: u64, depth in 2usize..9, rounding in rounding()) {
        if let Some(share) = largest_share(seed, depth, rounding) {
            prop_assert!(share <= 1.0, "{share}");
        }
    }

    /// On the calibration inputs themselves every activation is in its range.
    #[test]
    fn no_calibrated_input_leaves_the_a_priori_bound(seed: u64, depth in 1usize..5, rounding in rounding()) {
        let mut random = Random(seed);
        let network = random.network(depth);
        let images = random.tensor(&[&[3], &network.input().shape[..]].concat(), 1.0);
        let Ok(ranges) = calibrate(&network, &images) else { return Ok(()) };
        let Ok(quant) = QuantNetwork::quantize(&network, &ranges, rounding) else { return Ok(()) };
        let before = a_priori(&network, &quant, &ranges).unwrap();
        let after = a_posteriori(&network, &quant, &images).unwrap();
        let trace = quant.trace(&images).unwrap();
        let weighted = quant.network().layers().iter().zip(after.iter().zip(&trace.layers));
        let weighted = weighted.filter(|(layer, _)| layer.weights().is_some());
        let mut layers = 0;
        for ((_, (after, traced)), before) in weighted.zip(&before) {
            prop_assert!(after.largest_error(&traced.codes) <= *before);
            layers += 1;
        }
        prop_assert_eq!(layers, before.len());
    }
}

#[test]
fn most_random_networks_can_be_quantized() {
    let quantized = (0..200)
        .filter_map(|seed| largest_share(seed, 3, Rounding::TiesToEven))
        .count();
    assert!(
        quantized > 150,
        "{quantized} of 200: the properties above test little"
    );
}

#[test]
fn the_committed_networks_keep_to_it_and_use_it() {
    let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
    for name in NETWORKS {
        let fixture = NetworkFixture::load(&fixtures, name).unwrap();
        let images = ImageSet::load(&fixtures, &fixture.data).unwrap();
        let input = fixture.network.input().normalize(&images.pixels.head(16));
        let quant = &fixture.int8.network;
        let bounds = a_posteriori(&fixture.network, quant, &input).unwrap();
        let trace = quant.trace(&input).unwrap();
        for (layer, bound) in trace.layers.iter().zip(&bounds) {
            let (share, at) = bound.used(&layer.codes);
            assert!(share <= 1.0, "{name}, {}: {share} at {at}", layer.name);
            println!(
                "{name} {} {share:.4} error {:.3e}",
                layer.name,
                bound.largest_error(&layer.codes)
            );
        }
        let (share, _) = bounds[0].used(&trace.layers[0].codes);
        assert!(share > 0.1 || name == "mlp-mnist", "{name}: {share}");
    }
}
