//! Which codes activations get.

use quant::QuantError;
use quant::observers::Range;
use quant::scheme::Granularity;
use quant::sq8::out_scale::{CHANGES, Observations, OutScale};
use quant::sq8::{Activations, NodeRanges, SdkRelease, Sq8Network, Sq8Options, Sq8Params};
use reference::ops::AveragePoolGeometry;
use reference::{Conv2dGeometry, InputSpec, Layer, Network, Op, PoolGeometry, Tensor, Weights};
use rstest::rstest;

fn range(low: f32, high: f32) -> Range {
    Range { low, high }
}

fn asymmetric(low: f32, high: f32) -> (f64, i32) {
    let params = Sq8Params::asymmetric(range(low, high)).unwrap();
    (params.scale(), params.zero_point())
}

fn symmetric(low: f32, high: f32) -> f64 {
    let params = Sq8Params::symmetric(range(low, high)).unwrap();
    assert_eq!(params.zero_point(), 0);
    params.scale()
}

#[rstest]
#[case(-1.0, 1.0, 2.0 / 255.0, 0)] // −0.5 goes to the even neighbour
#[case(-1.0, 254.0, 1.0, -127)]
#[case(-127.0, 128.0, 1.0, -1)]
#[case(-63.75, 63.75, 0.5, 0)]
#[case(-64.25, 63.25, 0.5, 0)] // 0.5 too
#[case(-64.75, 62.75, 0.5, 2)] // 1.5
#[case(0.0, 255.0, 1.0, -128)]
#[case(-255.0, 0.0, 1.0, 127)]
#[case(5.0, 255.0, 1.0, -128)] // widened to hold 0
#[case(-255.0, -5.0, 1.0, 127)]
#[case(3.0, 3.0, 6.0 / 255.0, 0)] // one value: [−3, 3]
#[case(-3.0, -3.0, 6.0 / 255.0, 0)]
#[case(0.0, 0.0, 2.0 / 255.0, 0)] // nothing but zeros: [−1, 1]
fn an_asymmetric_range(
    #[case] low: f32,
    #[case] high: f32,
    #[case] scale: f64,
    #[case] zero_point: i32,
) {
    assert_eq!(asymmetric(low, high), (scale, zero_point));
}

#[rstest]
#[case(-127.0, 127.0, 1.0)]
#[case(-128.0, 127.0, 1.0)] // −128 is a code
#[case(-129.0, 127.0, 129.0 / 128.0)]
#[case(-128.0, 127.5, 127.5 / 127.0)]
#[case(0.0, 1.0, 1.0 / 127.0)]
#[case(-1.0, 0.0, 1.0 / 128.0)]
#[case(2.0, 2.0, 2.0 / 127.0)]
#[case(-2.0, -2.0, 2.0 / 127.0)]
#[case(0.0, 0.0, 1.0 / 127.0)]
fn a_symmetric_range(#[case] low: f32, #[case] high: f32, #[case] scale: f64) {
    assert_eq!(symmetric(low, high), scale);
}

/// One end's zero point is a tie, the other's lies beside it by a rounding: nearer to an integer.
#[rstest]
#[case(-36.54731, 0.36185455, 125)] // of the lower end: 124.5 + 3e-14
#[case(-20.150196, 2.2389107, 101)] // 101.5 − 3e-14
#[case(-4.7375336, 32.433884, -95)] // of the upper end: −95.5 + 3e-14
fn the_end_whose_zero_point_is_nearer_to_an_integer_counts(
    #[case] low: f32,
    #[case] high: f32,
    #[case] zero_point: i32,
) {
    assert_eq!(asymmetric(low, high).1, zero_point);
}

/// Both lie as far from an integer, of −0.5 on either side: the upper end's counts.
#[test]
fn of_ends_that_are_equally_near_the_upper_one_counts() {
    let end = f32::from_bits(0x3f80_007b);
    let scale = 2.0 * f64::from(end) / 255.0;
    let [of_low, of_high] = [
        f64::from(end) / scale - 128.0,
        127.0 - f64::from(end) / scale,
    ];
    let beside = |z: f64| (z - z.round_ties_even()).abs();
    assert_eq!(beside(of_low), beside(of_high));
    assert_ne!(of_low.round_ties_even(), of_high.round_ties_even());
    assert_eq!(asymmetric(-end, end).1, of_high.round_ties_even() as i32);
}

/// Whatever the end, a range that stops at 0 spends every code on its side.
#[test]
fn a_range_of_one_sign_has_its_zero_at_the_end() {
    let mut moved = 0;
    for at in 1u32..20_000 {
        let end = f32::from_bits(0x3f00_0000 + at * 16_411);
        let of = asymmetric(0.0, end);
        assert_eq!(of, (f64::from(end) / 255.0, -128), "{end}");
        assert_eq!(asymmetric(-end, 0.0), (of.0, 127), "{end}");
        let low = 127.0 - f64::from(end) / of.0;
        moved += usize::from(low != -128.0);
    }
    assert!(moved > 0, "no rounding was ever in the way");
}

#[test]
fn a_range_without_a_scale_is_refused() {
    let tiny = range(0.0, f32::from_bits(1));
    assert!(matches!(
        Sq8Params::symmetric(tiny),
        Err(QuantError::Scale { .. })
    ));
    assert!(matches!(
        Sq8Params::asymmetric(tiny),
        Err(QuantError::Scale { .. })
    ));
    for broken in [f32::NAN, f32::INFINITY] {
        assert!(Sq8Params::symmetric(range(-1.0, broken)).is_err());
        assert!(Sq8Params::asymmetric(range(-1.0, broken)).is_err());
    }
    assert!(Sq8Params::new(1.0, 128).is_err());
    assert!(Sq8Params::new(1.0, -128).is_ok());
}

type Ops = Vec<Op<Weights<f32>>>;

fn weights(shape: &[usize]) -> Weights<f32> {
    Weights {
        weight: Tensor::full(shape, 1.0).unwrap(),
        bias: None,
    }
}

fn conv(padding: usize) -> Op<Weights<f32>> {
    Op::Conv2d {
        geometry: Conv2dGeometry {
            stride: [1, 1],
            padding: [padding, padding],
            dilation: [1, 1],
            groups: 1,
        },
        weights: weights(&[1, 1, 3, 3]),
    }
}

fn pool(padding: usize) -> PoolGeometry {
    PoolGeometry {
        kernel: [2, 2],
        stride: [1, 1],
        padding: [padding, padding],
    }
}

fn average(padding: usize) -> Op<Weights<f32>> {
    Op::AveragePool2d(AveragePoolGeometry {
        window: pool(padding),
        count_include_pad: true,
    })
}

fn network(ops: Ops) -> Network<Weights<f32>> {
    let spec = InputSpec {
        shape: [1, 12, 12],
        mean: 0.0,
        std: 1.0,
    };
    let layers = (ops.into_iter().enumerate())
        .map(|(at, op)| Layer {
            name: format!("layer{at}"),
            op,
        })
        .collect();
    Network::new("of ranges", spec, layers).unwrap()
}

/// Scale and zero point of the input, then of every weighted layer.
fn codes(
    ops: Ops,
    release: SdkRelease,
    input: Range,
    outputs: &[Range],
) -> Result<Vec<(f64, i32)>, QuantError> {
    let ranges = NodeRanges {
        input,
        outputs: outputs.to_vec(),
    };
    let Activations { input, outputs } =
        Activations::new(&network(ops), &ranges, &release.options())?;
    let all = std::iter::once(input).chain(outputs.into_iter().map(|(params, _)| params));
    Ok(all
        .map(|params| (params.scale(), params.zero_point()))
        .collect())
}

const V4_22: SdkRelease = SdkRelease::V4_22;
const V4_13: SdkRelease = SdkRelease::V4_13;

#[test]
fn releases_differ_in_outputs_with_zero_points() {
    let of = |asymmetric_outputs| Sq8Options {
        asymmetric_outputs,
        weights: Granularity::PerChannel,
    };
    assert_eq!(V4_22.options(), of(true));
    assert_eq!(V4_13.options(), of(false));
}

#[rstest]
#[case(V4_22, [(2.0, -128), (510.0 / 127.0, 0)])]
#[case(V4_13, [(510.0 / 127.0, 0), (510.0 / 127.0, 0)])]
fn a_relu_has_its_own_range(#[case] release: SdkRelease, #[case] expected: [(f64, i32); 2]) {
    // Before the ReLU −300 to 510.
    let ops = vec![conv(0), Op::Relu, conv(0), Op::Relu];
    let seen = [range(-300.0, 510.0), range(0.0, 510.0)];
    let outputs = [seen, seen].concat();
    let found = codes(ops, release, range(-127.0, 1.0), &outputs).unwrap();
    assert_eq!(found, [&[(127.0 / 128.0, 0)][..], &expected].concat());
}

#[test]
fn a_relu_behind_codes_without_a_zero_point_has_none_either() {
    let ops = vec![conv(0), Op::Relu, conv(0)];
    let outputs = [range(-1.0, 1.0), range(0.0, 1.0), range(-2.0, 2.0)];
    let found = codes(ops, V4_22, range(-1.0, 1.0), &outputs).unwrap();
    assert_eq!(found[1], (1.0 / 127.0, 0));
}

/// Moved before the ReLU, a max-pool has taken away what the ReLU never sees: here the largest
/// value. A flatten is passed, an average is not.
#[rstest]
#[case(Op::MaxPool2d(pool(0)), 255.0)]
#[case(average(0), 510.0)]
fn a_max_pool_is_seen_before_the_relu(#[case] behind: Op<Weights<f32>>, #[case] most: f64) {
    let ops = vec![conv(0), Op::Relu, behind, conv(0)];
    let outputs = [
        range(-300.0, 510.0),
        range(0.0, 510.0),
        range(0.0, 255.0),
        range(-1.0, 1.0),
    ];
    let found = codes(ops, V4_22, range(-1.0, 1.0), &outputs).unwrap();
    assert_eq!(found[1], (most / 255.0, -128));
}

#[test]
fn a_relu_behind_a_max_pool_has_its_own_range() {
    let ops = vec![conv(0), Op::MaxPool2d(pool(0)), Op::Relu, conv(0)];
    let outputs = [
        range(-300.0, 510.0),
        range(-300.0, 255.0),
        range(0.0, 255.0),
        range(-1.0, 1.0),
    ];
    let found = codes(ops, V4_22, range(-1.0, 1.0), &outputs).unwrap();
    assert_eq!(found[1], (1.0, -128));
}

#[test]
fn a_layer_without_a_relu_has_a_zero_point_unless_it_is_the_last() {
    let outputs = [range(-1.0, 254.0), range(-1.0, 254.0)];
    let of = |release| codes(vec![conv(0), conv(0)], release, outputs[0], &outputs).unwrap();
    let (shifted, not) = ((1.0, -127), (2.0, 0));
    assert_eq!(of(V4_22), [not, shifted, not]);
    assert_eq!(of(V4_13), [not, not, not]);
}

#[rstest]
#[case(0.0, 0, (1.0, -128))]
#[case(0.0, 1, (255.0 / 127.0, 0))] // a padded convolution is given 0 for 0
#[case(1.0, 0, (255.0 / 127.0, 0))] // its least value is not 0
fn an_input_from_0_on_has_a_zero_point(
    #[case] least: f32,
    #[case] padding: usize,
    #[case] expected: (f64, i32),
    #[values(V4_22, V4_13)] release: SdkRelease,
) {
    let outputs = [range(-1.0, 1.0)];
    let found = codes(vec![conv(padding)], release, range(least, 255.0), &outputs).unwrap();
    assert_eq!(found[0], expected);
}

#[test]
fn what_a_padded_convolution_is_given_has_no_zero_point() {
    let ops = vec![conv(0), Op::Relu, Op::MaxPool2d(pool(0)), conv(1), conv(0)];
    let outputs = [
        range(-100.0, 127.0),
        range(0.0, 127.0),
        range(0.0, 127.0),
        range(-1.0, 254.0),
        range(-127.0, 1.0),
    ];
    let found = codes(ops, V4_22, range(-1.0, 1.0), &outputs).unwrap();
    assert_eq!(found[1..3], [(1.0, 0), (1.0, -127)]);
}

#[rstest]
#[case(vec![conv(0), Op::MaxPool2d(pool(1))], "max-pool")]
#[case(vec![conv(0), average(1)], "averages over padding")]
#[case(vec![conv(0), average(0), Op::Relu], "before the ReLU")]
fn what_is_not_known_is_refused(#[case] ops: Ops, #[case] why: &str) {
    let outputs = vec![range(-1.0, 1.0); ops.len()];
    let error = codes(ops, V4_22, range(-1.0, 1.0), &outputs).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("layer1") && text.contains(why), "{text}");
}

#[test]
fn there_is_a_range_for_every_layer() {
    let found = codes(vec![conv(0), Op::Relu], V4_22, range(-1.0, 1.0), &[]);
    assert_eq!(
        found,
        Err(QuantError::Ranges {
            expected: 2,
            got: 0
        })
    );
}

#[test]
fn ranges_are_observed_at_every_node() {
    let network = network(vec![conv(0), Op::Relu, Op::MaxPool2d(pool(0)), Op::Flatten]);
    // One pixel of each sign: sums of 3×3 windows, and what lies beside them is 0.
    let mut images = Tensor::full(&[1, 1, 12, 12], 0.0).unwrap();
    (images[[0, 0, 3, 3]], images[[0, 0, 9, 9]]) = (2.5, -4.0);
    let ranges = NodeRanges::observe(&network, &images).unwrap();
    assert_eq!(ranges.input, range(-4.0, 2.5));
    let relu = range(0.0, 2.5);
    assert_eq!(ranges.outputs, [range(-4.0, 2.5), relu, relu, relu]);
    let none = Tensor::full(&[0, 1, 12, 12], 0.0).unwrap();
    assert!(NodeRanges::observe(&network, &none).is_err());
}

/// A bias that no int32 holds in steps of the weights: the channel's weights vanish.
#[test]
fn a_bias_beyond_int32_takes_the_weights_with_it() {
    let of = |bias: f32| {
        let layer = Op::Linear {
            weights: Weights {
                weight: Tensor::new(&[2, 144], [[1e-9; 144], [1.0; 144]].concat()).unwrap(),
                bias: Some(vec![bias, 0.0]),
            },
        };
        let network = network(vec![Op::Flatten, layer]);
        let ranges = NodeRanges {
            input: range(-1.0, 1.0),
            outputs: vec![range(-1.0, 1.0); 2],
        };
        Sq8Network::quantize(&network, &ranges, &V4_22.options())
    };
    let without = QuantError::BiasOverflow {
        index: 0,
        bias: 1e30,
        code: f64::from(1e30f32) / symmetric(-1.0, 1.0),
        bits: 32,
    };
    assert_eq!(of(1e30), Err(without.in_layer("layer1")));
    let quant = of(1.0).unwrap();
    let (_, layer) = quant.network().weighted().next().unwrap();
    assert_eq!(layer.codes.item(0), [0; 144]);
    assert_eq!(layer.codes.item(1), [127; 144]);
    assert_eq!(layer.weight_scales[0].get(), 1.0);
    assert_eq!(layer.bias, [127, 0]); // 1 over 1/127
    assert_eq!(layer.scales[0], quant::sq8::Sq8Scale::ONE);
}

/// Each share by hand: a layer of range [−256, 127] with a ReLU, one of [−1, 254] without.
#[test]
fn the_shares_of_an_output_scale_are_what_was_changed() {
    let ops = vec![conv(0), Op::Relu, conv(0)];
    let network = network(ops);
    let of = |factor: f32| NodeRanges {
        input: range(-127.0, 127.0),
        outputs: vec![
            range(-256.0 * factor, 127.0 * factor),
            range(0.0, 127.0 * factor),
            range(-1.0, 254.0 * factor),
        ],
    };
    let seen = Observations {
        by_hand: &of(1.0),
        other_images: &of(2.0),
        other_normalization: &of(0.5),
    };
    let scales = OutScale::of_layers(&network, &seen).unwrap();
    // Weights of 1 have the scale 1/127 in float32, the input 1: s_O1 = 256/127 · 127.
    let [first, second] = &scales[..] else {
        panic!("{scales:?}")
    };
    assert_eq!(
        (first.layer.as_str(), second.layer.as_str()),
        ("layer0", "layer2")
    );
    let (top, one) = (256.0 / 127.0, 127.0 / 255.0);
    assert!((first.values[0] - 256.0).abs() < 1e-4);
    assert_eq!(
        first.values[1..],
        [top, 2.0, 1.0, 1.0, one, 2.0 * one, 0.5 * one]
    );
    assert_eq!(second.values[1..], [2.0, 2.0, 2.0, 2.0, 2.0, 4.0, 1.0]);
    for scale in &scales {
        let factors = scale.factors();
        assert_eq!(factors.len(), CHANGES.len());
        let product = factors.into_iter().reduce(|a, b| a * b).unwrap();
        assert_eq!(Some(product), scale.whole());
    }
}

/// 127·128·144 and the bias code 2^31 − 128 are more than int32 holds.
#[test]
fn an_accumulator_beyond_int32_is_refused() {
    let of = |bias: f32| {
        let layer = Op::Linear {
            weights: Weights {
                weight: Tensor::full(&[1, 144], 127.0).unwrap(),
                bias: Some(vec![bias]),
            },
        };
        let ranges = NodeRanges {
            input: range(-127.0, 127.0),
            outputs: vec![range(-1e9, 1e9); 2],
        };
        let network = network(vec![Op::Flatten, layer]);
        Sq8Network::quantize(&network, &ranges, &V4_22.options())
    };
    let room = 2f32.powi(31) - (127 * 128 * 144) as f32;
    assert!(of(room - 1024.0).is_ok());
    assert_eq!(
        of(2f32.powi(31).next_down()),
        Err(QuantError::AccumulatorOverflow {
            channel: 0,
            bound: (1i128 << 31) - 128 + 127 * 128 * 144,
            bits: 32
        }
        .in_layer("layer1"))
    );
}
