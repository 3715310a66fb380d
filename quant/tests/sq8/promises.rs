//! What the formulas promise, in exact rationals, on random networks.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};
use quant::prove::Random;
use quant::scheme::Granularity;
use quant::sq8::{
    LARGEST_WEIGHT, NodeRanges, Sq8Network, Sq8Options, Sq8Weights, multiplier_bits, weight_code,
    weight_scale,
};
use quant::{Rounding, Scale};
use reference::{Conv2dGeometry, InputSpec, Layer, Network, Op, PoolGeometry, Tensor, Weights};

fn exact(value: f64) -> BigRational {
    BigRational::from_float(value).unwrap()
}

fn integer(value: impl Into<BigInt>) -> BigRational {
    BigRational::from_integer(value.into())
}

fn half() -> BigRational {
    BigRational::new(1.into(), 2.into())
}

/// Convolution, ReLU, max-pool, convolution (padded in every other network), ReLU, linear,
/// ReLU, linear.
fn random_network(random: &mut Random) -> Network<Weights<f32>> {
    let mut weights = |shape: &[usize]| {
        let count = shape.iter().product();
        let magnitude = 2f32.powi(random.below(9) as i32 - 6);
        let mut values = random.values(count, magnitude);
        if random.one_in(4) {
            // A channel of zeros.
            values[..count / shape[0]].fill(0.0);
        }
        let bias = random.one_in(2);
        Weights {
            weight: Tensor::new(shape, values).unwrap(),
            bias: bias.then(|| random.values(shape[0], magnitude)),
        }
    };
    let (one, two) = (weights(&[4, 2, 3, 3]), weights(&[5, 4, 3, 3]));
    let (three, four) = (weights(&[6, 20]), weights(&[3, 6]));
    let geometry = |padding| Conv2dGeometry {
        stride: [1, 1],
        padding: [padding, padding],
        dilation: [1, 1],
        groups: 1,
    };
    let pool = |kernel| {
        Op::MaxPool2d(PoolGeometry {
            kernel: [kernel, kernel],
            stride: [kernel, kernel],
            padding: [0, 0],
        })
    };
    let padded = random.one_in(2);
    let conv = |padding, weights| Op::Conv2d {
        geometry: geometry(padding),
        weights,
    };
    let ops = vec![
        conv(0, one),
        Op::Relu,
        pool(2),
        conv(usize::from(padded), two),
        Op::Relu,
        pool(if padded { 2 } else { 1 }),
        Op::Flatten,
        Op::Linear { weights: three },
        Op::Relu,
        Op::Linear { weights: four },
    ];
    let layers = (ops.into_iter().enumerate())
        .map(|(at, op)| Layer {
            name: format!("layer{at}"),
            op,
        })
        .collect();
    let spec = InputSpec {
        shape: [2, 10, 10],
        mean: 0.0,
        std: 1.0,
    };
    Network::new("random", spec, layers).unwrap()
}

/// Random networks, quantized.
fn networks(count: u64) -> Vec<(Network<Weights<f32>>, Sq8Network)> {
    let made = (0..count).map(|seed| {
        let mut random = Random::new(seed);
        let float = random_network(&mut random);
        let mut images = Tensor::new(&[2, 2, 10, 10], random.values(400, 1.0)).unwrap();
        if random.one_in(2) {
            // From exactly 0 on: an input with a zero point.
            images = images.map(|x| x.max(0.0));
        }
        let ranges = NodeRanges::observe(&float, &images).unwrap();
        let options = Sq8Options {
            asymmetric_outputs: random.one_in(2),
            weights: random.one_of(&[Granularity::PerChannel, Granularity::PerTensor]),
        };
        let quant = Sq8Network::quantize(&float, &ranges, &options).unwrap();
        (float, quant)
    });
    made.collect()
}

/// Every output channel of these networks' layers: float parameters, integer ones, which.
fn each_channel(count: u64, mut of: impl FnMut(&Weights<f32>, &Sq8Weights, usize)) {
    for (float, quant) in networks(count) {
        for ((_, float), (_, layer)) in float.weighted().zip(quant.network().weighted()) {
            for o in 0..layer.bias.len() {
                of(float, layer, o);
            }
        }
    }
}

#[test]
fn a_multiplier_is_near_its_factor_and_odd() {
    let (mut seen, mut worst) = (0, 0.0f64);
    let mut check = |layer: &Sq8Weights, o: usize| {
        let scale = layer.scales[o];
        let [input, output] = [layer.input, layer.output].map(|params| exact(params.scale()));
        let factor = input * exact(layer.weight_scales[o].wide()) / output;
        let found = BigRational::new(scale.scale.into(), BigInt::from(1) << scale.shift);
        let error = ((found - &factor) / factor).abs().to_f64().unwrap();
        let bits = multiplier_bits(layer.codes.item_len(), layer.bias_codes[o]).unwrap();
        // Half a unit of at least 2^(bits−1), and f cut to float32.
        let bound = 2f64.powi(-(bits as i32)) + 2f64.powi(-22);
        assert!(error <= bound, "{error} of {bound}, {scale:?}");
        assert!(scale.scale % 2 == 1 || scale.shift == 0, "{scale:?}");
        assert!(scale.shift <= 24 && u32::from(scale.scale) < 1 << bits);
        worst = worst.max(error / bound);
        seen += 1;
    };
    each_channel(300, |_, layer, o| check(layer, o));
    assert!(seen > 5_000 && worst > 0.95, "{seen}, {worst}");
}

/// The code is ⌊x⌋ of the sum x = quotient + ½, which float32 rounds. Only where it does is it
/// not ⌊quotient + ½⌋.
#[test]
fn weights_are_rounded_half_up() {
    let (mut seen, mut rounded) = (0u32, 0u32);
    let mut check = |weight: f32, scale: Scale| {
        let quotient = weight / scale.get();
        let sum = exact(quotient.into()) + half();
        let single = sum.to_f64().unwrap() as f32;
        let most = integer(LARGEST_WEIGHT);
        let whole = |x: &BigRational| x.floor().min(most.clone()).max(-most.clone());
        let code = integer(weight_code(weight, scale));
        assert_eq!(code, whole(&exact(single.into())), "{weight} / {scale:?}");
        if code != whole(&sum) {
            assert_ne!(exact(single.into()), sum);
            rounded += 1;
        }
        seen += 1;
    };
    each_channel(20, |float, layer, o| {
        let scale = layer.weight_scales[o];
        for (&weight, &code) in float.weight.item(o).iter().zip(layer.codes.item(o)) {
            assert_eq!(weight_code(weight, scale), code);
            check(weight, scale);
        }
    });
    for tie in -130..130 {
        // Powers of two keep the quotient on the tie, and beside it.
        let tie = tie as f32 + 0.5;
        for scale in [1.0, 0.25, 2f64.powi(-20)] {
            for quotient in [tie, tie.next_up(), tie.next_down()] {
                check(quotient * scale as f32, Scale::new(scale).unwrap());
            }
        }
    }
    assert!(seen > 3_000 && rounded > 0, "{seen}, {rounded}");
}

#[test]
fn per_tensor_all_channels_have_one_scale() {
    let mut seen = [0; 2];
    for (float, quant) in networks(40) {
        for ((_, float), (_, layer)) in float.weighted().zip(quant.network().weighted()) {
            let scales = &layer.weight_scales;
            let whole = weight_scale(float.weight.data()).unwrap();
            let own = |o| weight_scale(float.weight.item(o)).unwrap();
            let per_tensor = scales.iter().all(|&scale| scale == whole);
            assert!(per_tensor || (0..scales.len()).all(|o| scales[o] == own(o)));
            seen[usize::from(per_tensor)] += 1;
        }
    }
    assert!(seen[0] > 20 && seen[1] > 20, "{seen:?}");
}

/// Random codes for a row of weights, the ends among them.
fn codes(random: &mut Random, count: usize) -> Vec<i64> {
    let code = |random: &mut Random| match random.below(8) {
        0 => -128,
        1 => 127,
        _ => random.below(256) as i64 - 128,
    };
    (0..count).map(|_| code(random)).collect()
}

/// `Σ (X − z_I)·W + b0 + ⌊z_O·s_O/(s_I·s_W) + ½⌋ = Σ X·W + Bq`.
#[test]
fn the_stored_bias_is_what_the_zero_points_expand_to() {
    let mut random = Random::new(1);
    let mut seen = [0; 4];
    each_channel(100, |float, layer, o| {
        let row: Vec<i64> = layer.codes.item(o).iter().map(|&w| w.into()).collect();
        let [z_input, z_output] =
            [layer.input, layer.output].map(|params| i64::from(params.zero_point()));
        let step = exact(layer.input.scale()) * exact(layer.weight_scales[o].wide());
        let put_in = integer(z_output) * exact(layer.output.scale()) / &step;
        // The quotients are float64: where they lie beside a tie the rounding may go the other way.
        let put_in = (put_in + half()).floor().to_integer().to_i64().unwrap();
        let bias = float.bias.as_ref().map_or(0.0, |bias| bias[o]);
        let bias = (exact(bias.into()) / step + half()).floor().to_integer();
        assert_eq!(BigInt::from(layer.bias_codes[o]), bias);
        let bias = bias.to_i64().unwrap();
        for _ in 0..3 {
            let codes = codes(&mut random, row.len());
            let expanded: i64 = (codes.iter().zip(&row))
                .map(|(x, w)| (x - z_input) * w)
                .sum::<i64>()
                + bias
                + put_in;
            let folded =
                codes.iter().zip(&row).map(|(x, w)| x * w).sum::<i64>() + i64::from(layer.bias[o]);
            assert_eq!(expanded, folded);
            assert!(folded.abs() <= layer.reach(o));
        }
        seen[usize::from(z_input != 0) + 2 * usize::from(z_output != 0)] += 1;
    });
    assert!(seen.iter().all(|&seen| seen > 50), "{seen:?}");
}

/// How far the code of a layer lies from the real output in its steps: no further than the
/// rounding of weights, bias, zero point and multiplier and the last one together allow, each of
/// which is known exactly (eq. 32).
#[test]
fn a_code_is_within_what_the_roundings_allow() {
    let mut random = Random::new(2);
    let (mut seen, mut inside, mut nearest) = (0, 0, 0.0f64);
    each_channel(60, |float, layer, o| {
        let codes = codes(&mut random, layer.codes.item_len());
        let [input, output] = [layer.input, layer.output].map(|params| exact(params.scale()));
        let weight_scale = exact(layer.weight_scales[o].wide());
        let (z_input, z_output) = (layer.input.zero_point(), layer.output.zero_point());
        let bias = float.bias.as_ref().map_or(0.0, |bias| bias[o]);
        let (mut real, mut weights_err) = (exact(bias.into()), BigRational::zero());
        let mut acc = i64::from(layer.bias[o]);
        for ((&code, &w), &float) in
            (codes.iter().zip(layer.codes.item(o))).zip(float.weight.item(o))
        {
            let x = integer(code - i64::from(z_input)) * &input;
            let float = exact(float.into());
            weights_err += ((integer(w) * &weight_scale - &float) * &x).abs();
            real += float * x;
            acc += code * i64::from(w);
        }
        let factor = &input * &weight_scale / &output;
        let scale = layer.scales[o];
        let multiplier = BigRational::new(scale.scale.into(), BigInt::from(1) << scale.shift);
        let steps = real / &output + integer(z_output);
        let bound = weights_err / &output
            + (&multiplier - &factor).abs() * integer(acc.abs())
            + &factor // the bias and the zero point: half an accumulator's step each
            + half();
        let clamp = |x: BigRational| x.max(integer(-128)).min(integer(127));
        // An int32: the network is proved not to leave it.
        let code = i64::from(scale.apply(acc as i32, Rounding::HalfUp)).clamp(-128, 127);
        if layer.may_wrap(o) {
            return;
        }
        let error = (integer(code) - clamp(steps)).abs();
        assert!(error <= bound, "{error} of {bound}");
        nearest = nearest.max((error / bound).to_f64().unwrap());
        seen += 1;
        inside += usize::from(code.abs() < 127);
    });
    assert!(
        seen > 500 && inside > 200 && nearest > 0.7,
        "{seen}, {inside} inside, {nearest}"
    );
}
