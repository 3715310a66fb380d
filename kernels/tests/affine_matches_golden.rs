//! Every available kernel set gives the codes of the interpreter of every scheme: the ends of
//! what each path holds, and the committed networks under all schemes. Random networks are in
//! `kernels_match_golden`.

use std::collections::BTreeMap;

use fixtures::scheme::SchemeFixtures;
use fixtures::{Fixtures, ImageSet, NetworkFixture};
use kernels::affine::Sums;
use kernels::prove::affine::{compare, random_images};
use kernels::prove::chain;
use kernels::{AffineExecutor, dispatch};
use quant::Scale;
use quant::affine::{AffineNetwork, AffineWeights, Calibration};
use quant::prove::Random;
use quant::scheme::{Grid, QuantParams, Scheme, Symmetry};
use reference::{Conv2dGeometry, Op, PoolGeometry, ShapeError, Tensor};
use rstest::rstest;

/// How often each path was taken.
type Taken = BTreeMap<&'static str, usize>;

/// The golden codes less their zero point are the scores of every kernel set.
fn same(network: &AffineNetwork, images: &Tensor<f32>, what: &str, taken: &mut Taken) {
    let sets = dispatch::available();
    assert!(!sets.is_empty(), "no kernel set ran");
    match compare(network, images, &sets) {
        Ok(paths) => (paths.into_iter()).for_each(|path| *taken.entry(path).or_default() += 1),
        Err(mismatch) => panic!("{what}: {mismatch}"),
    }
}

fn built(shape: [usize; 3], input: QuantParams, ops: Vec<Op<AffineWeights>>) -> AffineNetwork {
    AffineNetwork::new(chain(shape, ops).unwrap(), input).unwrap()
}

fn params(bits: u32, signed: bool, zero_point: i32, scale: f64) -> QuantParams {
    QuantParams {
        scale: Scale::new(scale).unwrap(),
        zero_point,
        grid: Grid {
            bits,
            signed,
            narrow: false,
        },
    }
}

/// 16 bits a side: the more features, the smaller the digits.
#[test]
fn many_features_are_summed_in_more_parts() {
    let mut random = Random::new(9);
    for (features, signed, parts) in [(300, true, 2), (3_000, false, 3), (9_000, true, 5)] {
        let input = params(16, signed, if signed { -9_000 } else { 50_000 }, 1.0);
        let codes = (0..3 * features)
            .map(|_| random.below(1 << 16) as i32 - (1 << 15))
            .collect();
        let weights = AffineWeights::new(
            Tensor::new(&[3, features], codes).unwrap(),
            vec![params(16, true, 77, 0.5)],
            Some(vec![1 << 40, 0, -1]),
            &input,
            params(16, false, 30_000, 1e5 * (features as f64).sqrt()),
        );
        let ops = vec![Op::Flatten, Op::Linear { weights }, Op::Relu];
        let network = built([features, 1, 1], input, ops);
        let executor = AffineExecutor::new(network.clone(), dispatch::portable());
        assert_eq!(executor.layers()[0].sums, Sums::Split { parts });
        let images = random_images(&mut random, &network);
        let what = format!("{features} features");
        same(&network, &images, &what, &mut Taken::new());
    }
}

/// 16 bits a side: every digit of these weights is at least 4 in size, 20,000 of them.
fn too_wide() -> AffineNetwork {
    let input = params(16, false, 0, 1.0);
    let codes = Tensor::new(&[2, 20_000], vec![-18_724; 40_000]).unwrap();
    let weights = AffineWeights::new(
        codes,
        vec![params(16, true, 0, 1.0)],
        None,
        &input,
        params(16, true, 5, 3e8),
    );
    let ops = vec![Op::Flatten, Op::Linear { weights }];
    built([1, 1, 20_000], input, ops)
}

#[test]
fn what_no_sums_hold_runs_in_floats() {
    let mut taken = Taken::new();
    let wide = too_wide();
    let images = random_images(&mut Random::new(3), &wide);
    same(&wide, &images.head(2), "too wide", &mut taken);
    // Codes that fall as the accumulator rises: the largest sum is not the largest code.
    let input = params(8, true, 3, 1.0);
    let mut falling = AffineWeights::new(
        Tensor::new(&[1, 1, 2, 2], vec![1, 2, 3, 4]).unwrap(),
        vec![params(8, true, 0, 1.0)],
        None,
        &input,
        params(8, true, 0, 8.0),
    );
    falling.multipliers[0] *= -1.0;
    let conv = Op::Conv2d {
        geometry: Conv2dGeometry::default(),
        weights: falling,
    };
    let pool = Op::MaxPool2d(PoolGeometry {
        kernel: [2, 2],
        stride: [2, 2],
        padding: [0, 0],
    });
    let falling = built([1, 5, 5], input, vec![conv, pool]);
    let images = random_images(&mut Random::new(4), &falling);
    same(&falling, &images, "falling", &mut taken);
    let sets = dispatch::available().len();
    assert_eq!(taken, Taken::from([("floats", 2 * sets)]));
}

/// The int32 accumulator is reached to the last one, and not beyond.
#[test]
fn the_largest_int32_is_one_sum_and_the_next_is_not() {
    let input = params(8, true, 0, 1.0);
    for (bias, sums) in [
        (i64::from(i32::MAX) - 128 * 127, Sums::Bytes),
        (i64::from(i32::MAX) - 128 * 127 + 1, Sums::Words),
    ] {
        let weights = AffineWeights::new(
            Tensor::new(&[1, 1], vec![-127]).unwrap(),
            vec![params(8, true, 0, 1.0)],
            Some(vec![bias]),
            &input,
            params(16, true, 0, 65_536.0),
        );
        let network = built([1, 1, 1], input, vec![Op::Flatten, Op::Linear { weights }]);
        let executor = AffineExecutor::new(network.clone(), dispatch::portable());
        assert_eq!(executor.layers()[0].sums, sums);
        let images = Tensor::new(&[3, 1, 1, 1], vec![-128.0, 0.0, 127.0]).unwrap();
        same(&network, &images, "the largest", &mut Taken::new());
    }
}

/// No layer is fused with it, and it works on the outputs of many images at once: of the last as
/// of the first.
#[rstest]
#[case::bytes(8)]
#[case::words(16)]
fn a_relu_by_itself_takes_every_image(#[case] bits: u32) {
    let input = params(8, true, 0, 1.0);
    let weights = AffineWeights::new(
        Tensor::new(&[3, 2], vec![1, 0, 0, 1, -1, -1]).unwrap(),
        vec![params(8, true, 0, 1.0)],
        None,
        &input,
        params(bits, true, 7, 3.0),
    );
    let ops = vec![Op::Flatten, Op::Linear { weights }, Op::Flatten, Op::Relu];
    let network = built([2, 1, 1], input, ops);
    let codes = (0..200).map(|at| (at * 37 % 256 - 128) as f32).collect();
    let images = Tensor::new(&[100, 2, 1, 1], codes).unwrap();
    let mut taken = Taken::new();
    same(&network, &images, "a ReLU by itself", &mut taken);
    assert_eq!(taken.get("floats"), None, "{taken:?}");
}

#[rstest]
fn committed_networks_match_under_every_scheme(
    #[values("lab", "lab-bias", "lenet5-cifar10", "lenet5-mnist", "mlp-mnist")] name: &str,
) {
    let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
    let mut taken = Taken::new();
    let fixture = NetworkFixture::load(&fixtures, name).unwrap();
    let images = ImageSet::load(&fixtures, &fixture.data).unwrap();
    let normalize = |pixels| fixture.network.input().normalize(pixels);
    let calibration = Calibration::run(&fixture.network, &normalize(&images.calibration)).unwrap();
    let mut schemes: Vec<Scheme> = SchemeFixtures::load(&fixtures, name)
        .unwrap()
        .schemes
        .into_iter()
        .map(|golden| golden.scheme)
        .collect();
    for bits in 1..=16 {
        for symmetry in [Symmetry::Symmetric, Symmetry::Asymmetric] {
            let uniform = Scheme::uniform(bits, symmetry);
            if !schemes.contains(&uniform) {
                schemes.push(uniform);
            }
        }
    }
    let images = normalize(&images.pixels.head(8));
    for scheme in schemes {
        let ranges = calibration.ranges(&scheme).unwrap();
        let network = AffineNetwork::quantize(&fixture.network, &ranges, scheme).unwrap();
        same(
            &network,
            &images,
            &format!("{name}, {scheme:?}"),
            &mut taken,
        );
    }
    println!("{taken:?}");
    assert_eq!(taken.get("floats"), None, "{taken:?}");
}

#[test]
fn images_of_another_shape_are_an_error_and_none_are_none() {
    let input = params(8, true, 0, 1.0);
    let network = built([2, 1, 3], input, vec![Op::Relu]);
    let executor = AffineExecutor::new(network, dispatch::portable());
    for shape in [&[1, 2, 1, 2][..], &[2, 1, 3], &[6], &[]] {
        let images = Tensor::full(shape, 0.0f32).unwrap();
        let refused = executor.forward(&images);
        assert!(
            matches!(refused, Err(ShapeError::Shapes { .. })),
            "{shape:?}"
        );
    }
    let none = Tensor::full(&[0, 2, 1, 3], 0.0f32).unwrap();
    assert_eq!(executor.forward(&none).unwrap().shape(), [0, 2, 1, 3]);
}
