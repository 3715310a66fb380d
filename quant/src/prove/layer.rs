//! One random layer of a random scheme: scales per tensor or per output channel, zero
//! points, 2 to 8 bits, any rounding. The integers are formed here, apart from the golden
//! interpreter, by `q = clamp(round(f32(acc) · M) + z)`.

use reference::ops::{conv2d, linear};
use reference::{Conv2dGeometry, Op, Tensor, Weights};

use super::{Finding, Random};
use crate::bounds::int8::{Codes, FLOAT32_MULTIPLIER, QuantizedLayer, input};
use crate::{Rounding, Scale};

/// The largest share of its bound that any code of a random layer uses. `None` if the
/// layer only gives zeros.
pub fn layer(seed: u64) -> Option<Finding> {
    let mut random = Random::new(seed);
    let mut covered = Vec::new();
    let (op, shape) = operation(&mut random)?;
    covered.push(match op {
        Op::Conv2d { .. } => "convolution",
        _ => "linear",
    });
    let scheme = Scheme::random(&mut random, &mut covered);
    let weights = op_weights(&op)?;
    let (wide, outputs) = (widened(weights), weights.weight.shape()[0]);
    let float = with_weights(&op, wide.clone());
    // The inputs reach beyond the range, or not quite to its ends.
    let reach = 2f32.powi(random.below(7) as i32 - 3);
    let overshoot = 0.75 + random.below(3) as f32 / 4.0;
    let images = scheme.snapped(random.tensor(&shape, reach * overshoot)?);

    let input_codes = scheme.codes(&mut random, scheme.input_bits, Rounding::TiesToEven);
    let s_i = scheme.scale(reach, &input_codes)?;
    let codes_in = quantized(
        &images,
        |_| s_i,
        &input_codes,
        &mut covered,
        "clamped input",
    );

    let weight_codes = scheme.codes(&mut random, scheme.weight_bits, Rounding::TiesToEven);
    let weight_scales: Vec<Scale> = (0..outputs)
        .map(|o| {
            let values = match scheme.per_channel {
                true => weights.weight.item(o),
                false => weights.weight.data(),
            };
            let range = values.iter().fold(0f32, |range, w| range.max(w.abs()));
            scheme.scale(range, &weight_codes)
        })
        .collect::<Option<_>>()?;
    let taps = weights.weight.item_len();
    let weight_scale = |i: usize| weight_scales[i / taps];
    let codes_w = quantized(
        &weights.weight,
        weight_scale,
        &weight_codes,
        &mut covered,
        "clamped weight",
    );

    let steps: Vec<f64> = (weight_scales.iter())
        .map(|s_w| s_w.wide() * s_i.wide())
        .collect();
    let bias: Vec<f64> = (weights.bias.iter().flatten().zip(&steps))
        .map(|(&b, step)| (f64::from(b) / step).round_ties_even())
        .collect();
    if !bias.is_empty() {
        covered.push("bias");
    }
    let integer = Weights {
        weight: codes_w.clone(),
        bias: (!bias.is_empty()).then(|| bias.clone()),
    };
    // Integers below 2⁵³: exact in f64, whatever the order.
    let acc = run(&with_weights(&op, integer), &codes_in)?;
    let real = run(&float, &images.map(f64::from))?;

    let range = real.data().iter().fold(0f64, |range, y| range.max(y.abs()));
    let clipped = 0.5 + random.below(5) as f64 / 4.0;
    let output_codes = scheme.codes(&mut random, scheme.output_bits, scheme.rounding);
    let s_o = scheme.scale((range * clipped) as f32, &output_codes)?;
    let per_channel = acc.data().len() / acc.shape()[0] / outputs;
    let mut code = acc.clone();
    for (i, q) in code.data_mut().iter_mut().enumerate() {
        let multiplier = (steps[i / per_channel % outputs] / s_o.wide()) as f32;
        let quotient = f64::from(*q as f32 * multiplier);
        if f64::from(*q as f32) != *q {
            covered.push("accumulator rounded to float32");
        }
        if quotient.fract().abs() == 0.5 {
            covered.push("tie");
        }
        let rounded = scheme.rounding.round(quotient);
        *q = rounded.clamp(output_codes.reach[0], output_codes.reach[1]);
        if *q != rounded {
            covered.push("clamped output");
        }
    }

    let mut dequantized = codes_w;
    for (i, w) in dequantized.data_mut().iter_mut().enumerate() {
        *w *= weight_scale(i).wide();
    }
    let bias = bias.iter().zip(&steps).map(|(q, step)| q * step).collect();
    let arithmetic = FLOAT32_MULTIPLIER;
    let bounded = QuantizedLayer::new(
        &wide,
        &dequantized,
        bias,
        s_o.wide(),
        output_codes,
        arithmetic,
    );
    let before = input(&images, s_i, input_codes);
    let bound = bounded.a_posteriori(&float, &before).ok()?;
    covered.sort_unstable();
    covered.dedup();
    Some(Finding {
        share: before.used(&codes_in).0.max(bound.used(&code).0),
        inside: bound.used_inside(&code, output_codes.reach),
        covered,
    })
}

/// A convolution or a linear layer, and the shape of its input.
fn operation(random: &mut Random) -> Option<(Op<Weights<f32>>, Vec<usize>)> {
    if random.one_in(2) {
        let inputs = 1 + random.below(48);
        let outputs = 1 + random.below(6);
        let weights = random.weights(&[outputs, inputs])?;
        return Some((Op::Linear { weights }, vec![1 + random.below(2), inputs]));
    }
    let groups = 1 + random.below(3);
    let (inputs, outputs) = (
        groups * (1 + random.below(2)),
        groups * (1 + random.below(2)),
    );
    let kernel = [1 + random.below(3), 1 + random.below(3)];
    let geometry = Conv2dGeometry {
        stride: [1 + random.below(2), 1 + random.below(2)],
        padding: [random.below(3), random.below(3)],
        dilation: [1 + random.below(2), 1 + random.below(2)],
        groups,
    };
    let weights = random.weights(&[outputs, inputs / groups, kernel[0], kernel[1]])?;
    let shape = vec![1, inputs, 5 + random.below(2), 5 + random.below(2)];
    Some((Op::Conv2d { geometry, weights }, shape))
}

/// How the tensors of a layer become codes.
struct Scheme {
    per_channel: bool,
    zero_points: bool,
    /// Scales are powers of two and inputs coarse, so that quotients fall on ties.
    dyadic: bool,
    input_bits: u32,
    weight_bits: u32,
    output_bits: u32,
    rounding: Rounding,
}

impl Scheme {
    fn random(random: &mut Random, covered: &mut Vec<&'static str>) -> Self {
        let scheme = Self {
            per_channel: random.one_in(2),
            zero_points: random.one_in(2),
            dyadic: random.one_in(4),
            input_bits: 1 + random.below(16) as u32,
            weight_bits: 1 + random.below(16) as u32,
            output_bits: 1 + random.below(16) as u32,
            rounding: Rounding::ALL[random.below(Rounding::ALL.len())],
        };
        covered.push(match scheme.rounding {
            Rounding::TiesToEven => "ties to even",
            Rounding::TiesAwayFromZero => "ties away from zero",
            Rounding::HalfUp => "half up",
            Rounding::Floor => "floor",
            Rounding::TowardZero => "toward zero",
        });
        covered.push(match scheme.per_channel {
            true => "per channel",
            false => "per tensor",
        });
        covered.push(match scheme.zero_points {
            true => "zero points",
            false => "symmetric",
        });
        scheme
    }

    /// All codes of so many bits, less a zero point.
    fn codes(&self, random: &mut Random, bits: u32, rounding: Rounding) -> Codes {
        let half = 2f64.powi(bits as i32 - 1);
        let zero_point = match self.zero_points {
            true => random.below(2 * half as usize) as f64 - half,
            false => 0.0,
        };
        Codes {
            reach: [-half - zero_point, half - 1.0 - zero_point],
            rounding,
        }
    }

    /// A scale with which the codes hold a range, or most of it.
    fn scale(&self, range: f32, codes: &Codes) -> Option<Scale> {
        let steps = codes.reach[1].abs().max(codes.reach[0].abs());
        let scale = f64::from(range) / steps;
        Scale::new(match self.dyadic {
            true => 2f64.powi(scale.log2().ceil() as i32),
            false => scale,
        })
        .ok()
    }

    fn snapped(&self, images: Tensor<f32>) -> Tensor<f32> {
        match self.dyadic {
            true => images.map(|x| (x * 64.0).round() / 64.0),
            false => images,
        }
    }
}

/// Codes less their zero point.
fn quantized(
    values: &Tensor<f32>,
    scale: impl Fn(usize) -> Scale,
    codes: &Codes,
    covered: &mut Vec<&'static str>,
    clamped: &'static str,
) -> Tensor<f64> {
    let mut quantized = values.map(f64::from);
    for (i, (q, x)) in (quantized.data_mut().iter_mut().zip(values.data())).enumerate() {
        let quotient = f64::from(x / scale(i).get());
        let rounded = codes.rounding.round(quotient);
        *q = rounded.clamp(codes.reach[0], codes.reach[1]);
        if *q != rounded {
            covered.push(clamped);
        }
    }
    quantized
}

fn run(op: &Op<Weights<f64>>, input: &Tensor<f64>) -> Option<Tensor<f64>> {
    match op {
        Op::Conv2d { geometry, weights } => {
            conv2d(input, &weights.weight, weights.bias.as_deref(), geometry).ok()
        }
        Op::Linear { weights } => linear(input, &weights.weight, weights.bias.as_deref()).ok(),
        _ => None,
    }
}

fn op_weights(op: &Op<Weights<f32>>) -> Option<&Weights<f32>> {
    match op {
        Op::Conv2d { weights, .. } | Op::Linear { weights } => Some(weights),
        _ => None,
    }
}

fn widened(weights: &Weights<f32>) -> Weights<f64> {
    Weights {
        weight: weights.weight.map(f64::from),
        bias: (weights.bias.as_ref()).map(|bias| bias.iter().map(|&b| f64::from(b)).collect()),
    }
}

/// The same operation on other parameters.
fn with_weights(op: &Op<Weights<f32>>, weights: Weights<f64>) -> Op<Weights<f64>> {
    match op {
        Op::Conv2d { geometry, .. } => Op::Conv2d {
            geometry: *geometry,
            weights,
        },
        _ => Op::Linear { weights },
    }
}
