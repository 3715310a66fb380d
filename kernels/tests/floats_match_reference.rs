//! A faster float network gives the bits of `reference`: on every committed network, with and
//! without codes, and on layers of every geometry.

use fixtures::{Fixtures, ImageSet, NETWORKS, NetworkFixture};
use kernels::FloatExecutor;
use kernels::prove::chain;
use proptest::prelude::*;
use quant::affine::{AffineNetwork, Calibration, Simulation};
use quant::prove::Random;
use quant::scheme::{Scheme, Symmetry};
use reference::ops::AveragePoolGeometry;
use reference::{Conv2dGeometry, Network, Op, PoolGeometry, Tensor, Weights};

/// Not equal are also 0 and −0, and NaN is equal to itself.
fn assert_same_bits(got: &Tensor<f32>, expected: &Tensor<f32>, what: &str) {
    assert_eq!(got.shape(), expected.shape(), "{what}");
    for (i, (a, b)) in got.data().iter().zip(expected.data()).enumerate() {
        let same = a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
        assert!(same, "{what}, {:?}: {a} instead of {b}", got.position(i));
    }
}

#[test]
fn every_network_with_and_without_codes() {
    let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
    for name in NETWORKS {
        let NetworkFixture { network, data, .. } = NetworkFixture::load(&fixtures, name).unwrap();
        let images = ImageSet::load(&fixtures, &data).unwrap();
        let calibration = network.input().normalize(&images.calibration.head(16));
        let calibration = Calibration::run(&network, &calibration).unwrap();
        // No multiple of any vector's lanes.
        let mut images = network.input().normalize(&images.pixels.head(37));
        let unusual = [
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            -0.0,
            f32::MAX,
            f32::MIN,
        ];
        images.data_mut()[..6].copy_from_slice(&unusual);
        let fast = FloatExecutor::new(&network).unwrap();
        let expected = network.forward(&images).unwrap();
        assert_same_bits(&fast.forward(&images).unwrap(), &expected, name);
        for bits in [1, 3, 8, 16] {
            for symmetry in [Symmetry::Symmetric, Symmetry::Asymmetric] {
                let scheme = Scheme::uniform(bits, symmetry);
                let ranges = calibration.ranges(&scheme).unwrap();
                let quantized = AffineNetwork::quantize(&network, &ranges, scheme).unwrap();
                for simulation in [
                    Simulation::new(&network, &quantized).unwrap(),
                    Simulation::weights_only(&network, &quantized).unwrap(),
                ] {
                    let fast = FloatExecutor::simulating(&simulation).unwrap();
                    let expected = simulation.forward(&images).unwrap();
                    let what = format!("{name}, {bits} bits, {symmetry:?}");
                    assert_same_bits(&fast.forward(&images).unwrap(), &expected, &what);
                }
            }
        }
    }
}

/// Values of either sign, of more bits than a product holds, so that sums round.
fn values(count: usize, seed: u64) -> Vec<f32> {
    Random::new(seed).values(count, 1.0)
}

fn tensor(shape: &[usize], seed: u64) -> Tensor<f32> {
    Tensor::new(shape, values(shape.iter().product(), seed)).unwrap()
}

fn network(
    shape: [usize; 3],
    ops: Vec<Op<Weights<f32>>>,
) -> Result<Network<Weights<f32>>, TestCaseError> {
    // A geometry that fits no image is not this test's.
    chain(shape, ops).map_err(|error| TestCaseError::reject(error.to_string()))
}

fn same_as_reference(network: &Network<Weights<f32>>, images: &Tensor<f32>) {
    let fast = FloatExecutor::new(network).unwrap();
    let expected = network.forward(images).unwrap();
    assert_same_bits(&fast.forward(images).unwrap(), &expected, network.name());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn convolutions_of_every_geometry(
        (groups, inputs, outputs, items) in (1usize..3, 1usize..4, 1usize..10, 0usize..20),
        [height, width, kernel_h, kernel_w] in [1usize..9, 1..9, 1..4, 1..4],
        stride in [1usize..3, 1..3], padding in [0usize..3, 0..3], dilation in [1usize..3, 1..3],
        bias in any::<bool>(), seed in any::<u64>(),
    ) {
        let weights = Weights {
            weight: tensor(&[groups * outputs, inputs, kernel_h, kernel_w], seed),
            bias: bias.then(|| values(groups * outputs, seed ^ 1)),
        };
        let geometry = Conv2dGeometry { stride, padding, dilation, groups };
        let shape = [groups * inputs, height, width];
        let network = network(shape, vec![Op::Conv2d { geometry, weights }, Op::Relu])?;
        let images = tensor(&[items, shape[0], height, width], seed ^ 2);
        same_as_reference(&network, &images);
    }

    #[test]
    fn pools_of_every_geometry(
        [channels, height, width, items] in [1usize..4, 1..9, 1..9, 1..20],
        kernel in [1usize..4, 1..4], stride in [1usize..3, 1..3], padding in [0usize..2, 0..2],
        count_include_pad in any::<bool>(), average in any::<bool>(), seed in any::<u64>(),
    ) {
        let window = PoolGeometry { kernel, stride, padding };
        let op = match average {
            true => Op::AveragePool2d(AveragePoolGeometry { window, count_include_pad }),
            false => Op::MaxPool2d(window),
        };
        let network = network([channels, height, width], vec![op])?;
        let mut images = tensor(&[items, channels, height, width], seed);
        let last = images.data().len() - 1;
        images.data_mut()[last] = f32::NAN;
        images.data_mut()[last / 2] = f32::NEG_INFINITY;
        images.data_mut()[0] = -0.0;
        same_as_reference(&network, &images);
    }

    #[test]
    fn matrix_products_of_every_size(
        [inputs, outputs, items] in [1usize..40, 1..40, 1..40],
        bias in any::<bool>(), seed in any::<u64>(),
    ) {
        let weights = Weights {
            weight: tensor(&[outputs, inputs], seed),
            bias: bias.then(|| values(outputs, seed ^ 1)),
        };
        let ops = vec![Op::Flatten, Op::Linear { weights }, Op::Relu, Op::LogSoftmax];
        let network = network([inputs, 1, 1], ops)?;
        same_as_reference(&network, &tensor(&[items, inputs, 1, 1], seed ^ 2));
    }
}

#[test]
fn images_of_another_shape_are_refused() {
    let network = network([1, 2, 2], vec![Op::Relu]).unwrap();
    let fast = FloatExecutor::new(&network).unwrap();
    for shape in [&[3, 1, 2, 3][..], &[4], &[1, 2, 2]] {
        assert!(fast.forward(&tensor(shape, 0)).is_err(), "{shape:?}");
    }
    assert_eq!(
        fast.forward(&tensor(&[0, 1, 2, 2], 0)).unwrap().shape(),
        [0, 1, 2, 2]
    );
}
