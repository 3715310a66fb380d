//! Both executors on networks small enough to compute by hand: zero points, pools that average,
//! channels with scales of their own.

use quant::affine::{AffineNetwork, AffineWeights, ExactInFloats, Executor};
use quant::scheme::{Grid, QuantParams};
use quant::{QuantError, Scale};
use reference::ops::AveragePoolGeometry;
use reference::{Conv2dGeometry, InputSpec, Layer, Network, Op, PoolGeometry, Tensor};
use rstest::rstest;

const BYTE: Grid = Grid {
    bits: 8,
    signed: true,
    narrow: false,
};

fn params(scale: f64, zero_point: i32, grid: Grid) -> QuantParams {
    QuantParams {
        scale: Scale::new(scale).unwrap(),
        zero_point,
        grid,
    }
}

fn network(
    shape: [usize; 3],
    input: QuantParams,
    ops: Vec<Op<AffineWeights>>,
) -> Result<AffineNetwork, QuantError> {
    let spec = InputSpec {
        shape,
        mean: 0.0,
        std: 1.0,
    };
    let layers = (ops.into_iter().enumerate())
        .map(|(at, op)| Layer {
            name: format!("layer{at}"),
            op,
        })
        .collect();
    AffineNetwork::new(Network::new("by hand", spec, layers).unwrap(), input)
}

/// The scores of both executors, which must be the same.
fn scores(network: &AffineNetwork, image: &[f32]) -> Vec<f32> {
    let [c, h, w] = network.network().input().shape;
    let images = Tensor::new(&[1, c, h, w], image.to_vec()).unwrap();
    let of = |executor: &dyn Executor| executor.scores(&images).unwrap().into_data();
    let slow = of(network);
    assert_eq!(slow, of(&ExactInFloats::new(network.clone())));
    slow
}

/// Windows of 2×2 over 2×4: a mean that is a tie goes to the even of codes less the zero point.
#[rstest]
#[case(3, [1.0, 2.0, 9.0, 9.0, 2.0, 1.0, 9.0, 10.0], [2.0, 9.0])]
#[case(-5, [1.0, 0.0, -1.0, -2.0, 1.0, 0.0, -2.0, -1.0], [0.0, -2.0])]
#[case(0, [3.0, 3.0, 1.0, 1.0, 3.0, 2.0, 1.0, 2.0], [3.0, 1.0])]
fn means_are_rounded_to_even_about_the_zero_point(
    #[case] zero_point: i32,
    #[case] image: [f32; 8],
    #[case] expected: [f32; 2],
) {
    let pool = Op::AveragePool2d(AveragePoolGeometry {
        window: PoolGeometry {
            kernel: [2, 2],
            stride: [2, 2],
            padding: [0, 0],
        },
        count_include_pad: true,
    });
    let network = network([1, 2, 4], params(1.0, zero_point, BYTE), vec![pool]).unwrap();
    assert_eq!(scores(&network, &image), expected);
}

/// Padding counts as 0 or is left out.
#[rstest]
#[case(true, [1.0, 1.0])]
#[case(false, [3.0, 3.0])]
fn what_lies_beyond_the_border_is_zero_or_is_not_counted(
    #[case] count_include_pad: bool,
    #[case] expected: [f32; 2],
) {
    let pool = Op::AveragePool2d(AveragePoolGeometry {
        window: PoolGeometry {
            kernel: [2, 2],
            stride: [2, 2],
            padding: [1, 1],
        },
        count_include_pad,
    });
    let three = Grid { bits: 3, ..BYTE };
    // −4 stands for 0, and −1 for 3: a sum of codes as they are would be negative.
    let network = network([1, 1, 2], params(1.0, -4, three), vec![pool]).unwrap();
    let scores = scores(&network, &[3.0, 3.0]);
    assert_eq!(scores, expected);
}

/// 2 channels of 1×3, a kernel of 1×2, two outputs with scales and zero points of their own.
#[test]
fn a_convolution_uses_each_channels_parameters() {
    let input = params(0.5, 3, BYTE);
    let output = params(2.0, -7, BYTE);
    let weights = AffineWeights::new(
        Tensor::new(&[2, 2, 1, 2], vec![2, -3, 1, 5, 4, 4, -2, 0]).unwrap(),
        vec![params(0.5, 1, BYTE), params(4.0, -2, BYTE)],
        Some(vec![100, -3]),
        &input,
        output,
    );
    let conv = Op::Conv2d {
        geometry: Conv2dGeometry::default(),
        weights,
    };
    let network = network([2, 1, 3], input, vec![conv]).unwrap();
    // Inputs in steps of ½: 2, −4, 0 and 6, 1, −2. Weights less z: 1, −4, 0, 4 and 6, 6, 0, 2.
    // 2 + 16 + 0 + 4 + 100 = 122 and −4 + 0 + 0 − 8 + 100 = 88, times ½·½/2: 15.25 and 11.
    // 12 − 24 + 0 + 2 − 3 = −13 and −24 + 0 + 0 − 4 − 3 = −31, times ½·4/2.
    let image = [1.0, -2.0, 0.0, 3.0, 0.5, -1.0];
    assert_eq!(scores(&network, &image), [15.0, 11.0, -13.0, -31.0]);
}

/// Accumulators of 1, 3, 5 in halves, with the zero point added after they are rounded.
#[rstest]
#[case(0)]
#[case(1)]
#[case(-8)]
fn halves_go_to_even_before_the_zero_point(#[case] zero_point: i32) {
    let input = params(1.0, 0, BYTE);
    let weights = AffineWeights::new(
        Tensor::new(&[5, 1], vec![1, 3, 5, -1, -3]).unwrap(),
        vec![params(0.5, 0, BYTE)],
        None,
        &input,
        params(1.0, zero_point, BYTE),
    );
    let ops = vec![Op::Flatten, Op::Linear { weights }];
    let network = network([1, 1, 1], input, ops).unwrap();
    assert_eq!(scores(&network, &[1.0]), [0.0, 2.0, 2.0, 0.0, -2.0]);
}

#[test]
fn scores_of_no_layers_are_the_codes_of_the_input() {
    let network = network([1, 1, 3], params(0.5, 100, BYTE), vec![]).unwrap();
    // 27 codes above the zero point is the last one.
    assert_eq!(scores(&network, &[1.0, -2.0, 50.0]), [2.0, -4.0, 27.0]);
}
