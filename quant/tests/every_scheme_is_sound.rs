//! What holds in every scheme: tensors with nothing to measure, channels beside tensors.

use proptest::prelude::*;
use quant::affine::{AffineNetwork, AffineWeights, ObservedRanges};
use quant::bounds::within_codes;
use quant::observers::{Observer, Range};
use quant::scheme::{Granularity, Grid, QuantParams, Scheme, Symmetry};
use quant::{QuantError, Scale};
use reference::{InputSpec, Layer, Network, Op, Tensor, Weights};
use rstest::rstest;

const OBSERVERS: [Observer; 7] = [
    Observer::MinMax,
    Observer::NSigma {
        n: 2.0,
        capped: false,
    },
    Observer::NSigma {
        n: 2.0,
        capped: true,
    },
    Observer::Percentile(0.99),
    Observer::Percentile(1.0),
    Observer::LeastSquares,
    Observer::Entropy,
];

const SYMMETRIES: [Symmetry; 2] = [Symmetry::Symmetric, Symmetry::Asymmetric];

fn grids() -> impl Iterator<Item = Grid> {
    (1..=16).flat_map(|bits| {
        [true, false].map(|signed| Grid {
            bits,
            signed,
            narrow: false,
        })
    })
}

/// The parameters that every observer makes of these values, in every grid.
fn each(values: &[f32], mut check: impl FnMut(&str, Result<QuantParams, QuantError>)) {
    let mut seen = 0;
    for grid in grids() {
        for observer in OBSERVERS {
            for symmetry in SYMMETRIES {
                let range = observer.range(values, grid, symmetry);
                let params = range.and_then(|range| QuantParams::of_range(range, grid, symmetry));
                check(&format!("{observer:?}, {grid:?}, {symmetry:?}"), params);
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 32 * OBSERVERS.len() * 2);
}

#[rstest]
#[case::nothing(&[])]
#[case::not_a_number(&[1.0, f32::NAN])]
#[case::infinite(&[1.0, f32::INFINITY])]
#[case::minus_infinite(&[f32::NEG_INFINITY])]
fn what_cannot_be_measured_is_an_error(#[case] values: &[f32]) {
    each(values, |at, params| {
        let error = params.expect_err(at);
        let expected = match values.iter().position(|v| !v.is_finite()) {
            Some(index) => matches!(error, QuantError::NotFinite { index: i, .. } if i == index),
            None => error == QuantError::Empty,
        };
        assert!(expected, "{at}: {error}");
    });
}

#[test]
fn zeros_have_scale_1_and_come_back() {
    each(&[0.0, -0.0, 0.0], |at, params| {
        let params = params.expect(at);
        assert_eq!((params.scale.get(), params.zero_point), (1.0, 0), "{at}");
        assert_eq!(params.dequantize(params.quantize(0.0)), 0.0, "{at}");
    });
}

/// A constant, a single value, either sign: nothing is clipped by more than a step.
#[rstest]
#[case(&[3.0; 8])]
#[case(&[-3.0; 8])]
#[case(&[0.1])]
#[case(&[-7e20])]
fn a_constant_is_its_own_range(#[case] values: &[f32]) {
    each(values, |at, params| {
        let params = params.expect(at);
        let x = values[0];
        let [low, high] = params.reach().map(|steps| steps * params.scale.wide());
        let back = params.dequantize(params.quantize(x));
        // A symmetric unsigned grid has no code below 0, a signed bit none above.
        let expected = f64::from(x).clamp(low, high);
        let allowed = within_codes(expected as f32, back, params.scale);
        assert!(
            (f64::from(back) - expected).abs() <= allowed,
            "{at}: {back}"
        );
        assert!(params.grid.low() <= params.zero_point && params.zero_point <= params.grid.high());
    });
}

/// The scale of a subnormal range underflows, or is a subnormal that divides exactly enough.
#[test]
fn subnormals_have_a_scale_or_an_error() {
    let tiny = f32::from_bits(1);
    let (mut made, mut refused) = (0, 0);
    for values in [&[tiny][..], &[tiny, -tiny], &[tiny * 4096.0, 0.0]] {
        each(values, |at, params| match params {
            Ok(params) => {
                assert!(params.scale.get() > 0.0, "{at}");
                let code = params.quantize(values[0]);
                assert!(
                    params.grid.low() <= code && code <= params.grid.high(),
                    "{at}"
                );
                made += 1;
            }
            Err(error) => {
                assert!(matches!(error, QuantError::Scale { .. }), "{at}: {error}");
                refused += 1;
            }
        });
    }
    assert!(
        made > 100 && refused > 100,
        "{made} made, {refused} refused"
    );
}

/// A linear layer with these weights, quantized.
fn scales(rows: &[Vec<f32>], scheme: Scheme) -> Vec<f64> {
    let weight = Tensor::new(&[rows.len(), rows[0].len()], rows.concat()).unwrap();
    let input = InputSpec {
        shape: [1, 1, rows[0].len()],
        mean: 0.0,
        std: 1.0,
    };
    let ops = [
        ("flatten", Op::Flatten),
        (
            "fc",
            Op::Linear {
                weights: Weights { weight, bias: None },
            },
        ),
    ];
    let layers = ops.map(|(name, op)| Layer {
        name: name.into(),
        op,
    });
    let network = Network::new("one", input, layers.into()).unwrap();
    let range = Range {
        low: -1.0,
        high: 1.0,
    };
    let observed = ObservedRanges {
        input: range,
        outputs: vec![range],
    };
    let network = AffineNetwork::quantize(&network, &observed, scheme).unwrap();
    let (_, weights) = network.network().weighted().next().unwrap();
    (0..rows.len())
        .map(|o| weights.channel(o).scale.wide())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_channels_step_is_never_coarser_than_the_tensors(
        rows in prop::collection::vec(prop::collection::vec(-9f32..9., 6), 2..5),
        shrink in prop::collection::vec(1u32..1000, 4),
        bits in 1u32..=16,
        symmetry in prop::sample::select(SYMMETRIES.to_vec()),
    ) {
        let rows: Vec<Vec<f32>> = rows.iter().zip(&shrink)
            .map(|(row, &by)| row.iter().map(|w| w / by as f32).collect())
            .collect();
        let mut scheme = Scheme::uniform(bits, symmetry);
        let whole = scales(&rows, scheme);
        scheme.weights.granularity = Granularity::PerChannel;
        let channels = scales(&rows, scheme);
        prop_assert!(channels.iter().zip(&whole).all(|(channel, tensor)| channel <= tensor));
        // And of one channel it is the tensor's.
        prop_assert!(channels.contains(&whole[0]) || symmetry == Symmetry::Asymmetric);
    }
}

const BYTE: Grid = Grid {
    bits: 8,
    signed: true,
    narrow: false,
};

fn params(zero_point: i32, grid: Grid) -> QuantParams {
    QuantParams {
        scale: Scale::new(0.5).unwrap(),
        zero_point,
        grid,
    }
}

/// Two outputs of two inputs: W_q − z_W is (1, −4) and (0, 0).
fn weights() -> AffineWeights {
    AffineWeights::new(
        Tensor::new(&[2, 2], vec![2, -3, 1, 1]).unwrap(),
        vec![params(1, BYTE)],
        Some(vec![-7, 30]),
        &params(-3, BYTE),
        params(0, BYTE),
    )
}

fn network(change: impl FnOnce(&mut AffineWeights)) -> Result<AffineNetwork, QuantError> {
    let mut weights = weights();
    change(&mut weights);
    let input = InputSpec {
        shape: [1, 1, 2],
        mean: 0.0,
        std: 1.0,
    };
    let layers = [("flatten", Op::Flatten), ("fc", Op::Linear { weights })];
    let layers = layers.map(|(name, op)| Layer {
        name: name.into(),
        op,
    });
    let network = Network::new("one", input, layers.into()).unwrap();
    AffineNetwork::new(network, params(-3, BYTE))
}

#[test]
fn reach_is_of_the_worst_input_that_there_is() {
    // |q − z| is at most 127 + 3: 5·130 + 7.
    assert_eq!(network(|_| ()).unwrap().reach(), [657]);
    let upper = network(|w| w.bias = Some(vec![0, 651])).unwrap();
    assert_eq!(upper.reach(), [651]);
    assert_eq!(network(|w| w.bias = None).unwrap().reach(), [650]);
}

#[test]
fn float64_holds_every_accumulator_or_there_is_no_network() {
    let limit = 1i64 << f64::MANTISSA_DIGITS;
    let with = |bias: i64| network(|w| w.bias = Some(vec![0, bias]));
    assert_eq!(with(1 - limit).unwrap().reach(), [limit - 1]);
    for bias in [limit, -limit, i64::MIN, i64::MAX] {
        let overflow = QuantError::AccumulatorOverflow {
            channel: 1,
            bound: i128::from(bias).abs(),
            bits: 54,
        };
        assert_eq!(with(bias), Err(overflow.in_layer("fc")));
    }
}

/// A linear layer of one weight, whose accumulator counts in steps of 1.
fn quantized(bias: f32) -> Result<AffineNetwork, QuantError> {
    let input = InputSpec {
        shape: [1, 1, 1],
        mean: 0.0,
        std: 1.0,
    };
    let weights = Weights {
        weight: Tensor::new(&[1, 1], vec![127.0]).unwrap(),
        bias: Some(vec![bias]),
    };
    let layers = [("flatten", Op::Flatten), ("fc", Op::Linear { weights })];
    let layers = layers.map(|(name, op)| Layer {
        name: name.into(),
        op,
    });
    let float = Network::new("one", input, layers.into()).unwrap();
    let range = Range {
        low: -127.0,
        high: 127.0,
    };
    let observed = ObservedRanges {
        input: range,
        outputs: vec![range],
    };
    AffineNetwork::quantize(&float, &observed, Scheme::uniform(8, Symmetry::Symmetric))
}

#[test]
fn a_bias_is_a_code_that_float64_holds_or_an_error() {
    let most = 2f32.powi(f64::MANTISSA_DIGITS as i32);
    let overflow = |bias: f32| QuantError::BiasOverflow {
        index: 0,
        bias,
        code: bias.into(),
        bits: 54,
    };
    for bias in [most, -most, 1e30] {
        assert_eq!(quantized(bias), Err(overflow(bias).in_layer("fc")));
    }
    assert!(quantized(most.next_down()).is_ok());
    for bias in [f32::INFINITY, f32::NAN] {
        let error = quantized(bias).unwrap_err().to_string();
        assert!(error.contains("finite"), "{error}");
    }
}

#[test]
fn parameters_fit_their_codes_or_there_is_no_network() {
    let refused = |change: fn(&mut AffineWeights)| network(change).unwrap_err().to_string();
    let three = Grid { bits: 3, ..BYTE };
    assert_eq!(three.high(), 3);
    for (change, expected) in [
        (
            (|w| w.params.clear()) as fn(&mut AffineWeights),
            "parameters of the weights",
        ),
        (
            |w| w.params = vec![params(0, BYTE); 3],
            "parameters of the weights",
        ),
        (|w| w.multipliers = vec![1.0], "multipliers"),
        (
            |w| w.params = vec![params(0, BYTE), params(0, Grid { bits: 7, ..BYTE })],
            "grid",
        ),
        (
            |w| w.params = vec![params(0, Grid { bits: 17, ..BYTE })],
            "17 bits is no grid",
        ),
        (
            |w| w.params = vec![params(0, Grid { bits: 2, ..BYTE })],
            "weight code 2 is none of -2 to 1",
        ),
        (|w| w.params = vec![params(128, BYTE)], "zero point 128"),
        (|w| w.output = params(-129, BYTE), "zero point -129"),
    ] {
        let error = refused(change);
        assert!(
            error.starts_with("layer fc: ") && error.contains(expected),
            "{error}"
        );
    }
    assert!(network(|w| w.params = vec![params(1, BYTE), params(-128, BYTE)]).is_ok());
}
