//! What is timed: networks of the fixtures, and layers of the sizes that others publish.

use anyhow::Result;
use fixtures::{Fixtures, ImageSet};
use quant::{QuantNetwork, QuantWeights, Rounding, Scale};
use reference::{Conv2dGeometry, InputSpec, Layer, Network, Op, Tensor};
use serde::Serialize;

use crate::network;

/// What kind of work it is; a table a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A whole network.
    Network,
    /// u8 or s8 times s8, square.
    Matmul,
    /// One convolution with its requantization and ReLU.
    Conv2d,
    /// The same, every channel by itself.
    Depthwise,
}

/// A workload by name, before anything is read or made.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    /// How it is selected and reported.
    pub(crate) name: String,
    /// Images (rows of a matrix) in one call.
    pub(crate) batch: usize,
    /// Threads of every engine, each on a core of its own.
    pub(crate) threads: usize,
    /// Whether peers run it.
    pub(crate) peers: bool,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Network(&'static str),
    Matmul(usize),
    Conv2d(Convolution),
}

#[derive(Clone, Copy, Debug)]
struct Convolution {
    kernel: usize,
    channels: [usize; 2],
    size: usize,
    padding: usize,
    groups: usize,
}

/// A network of one call's shape, and its input.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    pub(crate) spec: Spec,
    pub(crate) network: QuantNetwork,
    /// Input codes, NCHW.
    pub(crate) input: Tensor<i8>,
}

/// Every workload, in the order of the tables.
pub(crate) fn all() -> Vec<Spec> {
    let mut specs = Vec::new();
    let mut network = |name: &'static str, batch, threads, peers| {
        let suffix = if threads > 1 {
            format!("-t{threads}")
        } else {
            String::new()
        };
        specs.push(Spec {
            name: format!("{name}-b{batch}{suffix}"),
            batch,
            threads,
            peers,
            what: What::Network(name),
        });
    };
    network("lab", 1, 1, true);
    network("lab", 64, 1, true);
    network("lab", 1000, 1, true);
    network("lab", 10_000, 1, false);
    network("lab", 256, 2, true);
    network("lenet5-mnist", 1, 1, true);
    network("lenet5-mnist", 64, 1, true);
    for size in [64, 128, 256, 512, 1024, 2048] {
        specs.push(Spec {
            name: format!("matmul-{size}"),
            batch: size,
            threads: 1,
            peers: true,
            what: What::Matmul(size),
        });
    }
    let mut conv2d = |name: &str, batch, kernel, channels, size, padding, groups| {
        specs.push(Spec {
            name: format!("{name}-b{batch}"),
            batch,
            threads: 1,
            peers: true,
            what: What::Conv2d(Convolution {
                kernel,
                channels,
                size,
                padding,
                groups,
            }),
        });
    };
    conv2d("conv-3x3-64-64-56", 1, 3, [64, 64], 56, 1, 1);
    conv2d("conv-3x3-128-128-28", 1, 3, [128, 128], 28, 1, 1);
    conv2d("conv-1x1-256-64-56", 1, 1, [256, 64], 56, 0, 1);
    conv2d("conv-3x3-512-512-7", 1, 3, [512, 512], 7, 1, 1);
    for batch in [1, 64] {
        conv2d("conv-5x5-3-6-32", batch, 5, [3, 6], 32, 0, 1);
        conv2d("conv-5x5-6-16-14", batch, 5, [6, 16], 14, 0, 1);
    }
    conv2d("depthwise-3x3-32-112", 1, 3, [32, 32], 112, 1, 32);
    conv2d("depthwise-3x3-512-14", 1, 3, [512, 512], 14, 1, 512);
    specs
}

impl Spec {
    /// What kind of work it is.
    pub(crate) fn kind(&self) -> Kind {
        match self.what {
            What::Network(_) => Kind::Network,
            What::Matmul(_) => Kind::Matmul,
            What::Conv2d(convolution) if convolution.groups > 1 => Kind::Depthwise,
            What::Conv2d(_) => Kind::Conv2d,
        }
    }

    /// Reads or makes the weights and the input.
    ///
    /// # Errors
    /// A fixture is damaged.
    pub(crate) fn make(&self) -> Result<Workload> {
        let (network, input) = match self.what {
            What::Network(name) => committed(name, self.batch)?,
            What::Matmul(size) => {
                let weight = Random::new(1).weights(&[size, size])?;
                let layers = vec![
                    Layer {
                        name: "flatten".into(),
                        op: Op::Flatten,
                    },
                    Layer {
                        name: "linear".into(),
                        op: Op::Linear {
                            weights: parameters(weight, size)?,
                        },
                    },
                ];
                made(&self.name, layers, [size, 1, 1], self.batch)?
            }
            What::Conv2d(convolution) => convolution.make(&self.name, self.batch)?,
        };
        Ok(Workload {
            spec: self.clone(),
            network,
            input,
        })
    }
}

impl Workload {
    /// Multiply-adds of one call; padding counts as if it were multiplied.
    pub(crate) fn macs(&self) -> f64 {
        let layers = self.network.network();
        let per_image: usize = (layers.layers().iter().zip(layers.shapes()))
            .filter_map(|(layer, output)| {
                let terms = layer.weights()?.weight.item_len();
                Some(output[1..].iter().product::<usize>() * terms)
            })
            .sum();
        (per_image * self.spec.batch) as f64
    }
}

impl Convolution {
    fn make(&self, name: &str, batch: usize) -> Result<(QuantNetwork, Tensor<i8>)> {
        let [inputs, outputs] = self.channels;
        let shape = [outputs, inputs / self.groups, self.kernel, self.kernel];
        let terms = shape[1..].iter().product();
        let layers = vec![
            Layer {
                name: "conv".into(),
                op: Op::Conv2d {
                    geometry: Conv2dGeometry {
                        padding: [self.padding; 2],
                        groups: self.groups,
                        ..Conv2dGeometry::default()
                    },
                    weights: parameters(Random::new(1).weights(&shape)?, terms)?,
                },
            },
            Layer {
                name: "relu".into(),
                op: Op::Relu,
            },
        ];
        made(name, layers, [inputs, self.size, self.size], batch)
    }
}

/// A network of the fixtures on the first committed images, again from the first where there are
/// not enough.
fn committed(name: &str, batch: usize) -> Result<(QuantNetwork, Tensor<i8>)> {
    let fixture = network::load(name)?;
    let images = ImageSet::load(&Fixtures::open(Fixtures::committed_root())?, &fixture.data)?;
    let network = fixture.int8.network;
    let codes = network.input_codes(&network.network().input().normalize(&images.pixels));
    let mut shape = codes.shape().to_vec();
    shape[0] = batch;
    let values = batch * codes.item_len();
    let data = codes.data().iter().copied().cycle().take(values).collect();
    Ok((network, Tensor::new(&shape, data)?))
}

/// A network of one layer, on random codes that are those of a ReLU: s8 and u8 alike.
fn made(
    name: &str,
    layers: Vec<Layer<QuantWeights>>,
    shape: [usize; 3],
    batch: usize,
) -> Result<(QuantNetwork, Tensor<i8>)> {
    let input = InputSpec {
        shape,
        mean: 0.0,
        std: 1.0,
    };
    let network = QuantNetwork::new(
        Network::new(name, input, layers)?,
        Scale::new(1.0 / 127.0)?,
        Rounding::TiesToEven,
    )?;
    let [c, h, w] = shape;
    let values = (0..batch * c * h * w).scan(Random::new(2), |random, _| {
        Some((random.next() % 128) as i8)
    });
    Ok((
        network,
        Tensor::new(&[batch, c, h, w], values.collect::<Vec<_>>())?,
    ))
}

/// Weights with an output step of which 127 are six standard deviations of the accumulators, so
/// that hardly any is clamped: s8 and u8 outputs clamp at different codes.
fn parameters(weight: Tensor<i8>, terms: usize) -> Result<QuantWeights> {
    // Root mean squares of the random weights and input codes: 127/√3 both.
    let deviation = 127.0 * 127.0 / 3.0 * (terms as f64).sqrt();
    Ok(QuantWeights {
        weight,
        bias: None,
        weight_scale: Scale::new(1.0 / 128.0)?,
        output_scale: Scale::new(6.0 * deviation / 127.0)?,
    })
}

/// SplitMix64: the same numbers on every machine.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Codes of −127 to 127.
    fn weights(mut self, shape: &[usize]) -> Result<Tensor<i8>> {
        let count = shape.iter().product();
        let codes = (0..count).map(|_| ((self.next() % 255) as i16 - 127) as i8);
        Ok(Tensor::new(shape, codes.collect())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload(name: &str) -> Workload {
        let spec = all().into_iter().find(|spec| spec.name == name).unwrap();
        spec.make().unwrap()
    }

    #[test]
    fn the_published_counts_of_multiply_adds() {
        assert_eq!(workload("lab-b1").macs(), 651_720.0);
        assert_eq!(workload("lab-b64").macs(), 64.0 * 651_720.0);
        assert_eq!(workload("matmul-64").macs(), 64.0 * 64.0 * 64.0);
        assert_eq!(
            workload("conv-3x3-64-64-56-b1").macs(),
            (64 * 64 * 9 * 56 * 56) as f64
        );
        assert_eq!(
            workload("depthwise-3x3-512-14-b1").macs(),
            (512 * 9 * 14 * 14) as f64
        );
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<String> = all().into_iter().map(|spec| spec.name).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn made_codes_fill_the_range_and_are_hardly_clamped() {
        let made = workload("conv-5x5-6-16-14-b1");
        let codes = made.network.trace_codes(made.input).unwrap();
        let codes = codes.layers[0].codes.data();
        assert!(codes.iter().any(|&code| code > 40));
        assert!(codes.iter().all(|&code| code < 127));
    }
}
