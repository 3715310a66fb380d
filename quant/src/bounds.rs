//! The only place where a tolerance is made, and each is derived.
//!
//! Two float evaluations of one layer, ours and PyTorch's, may sum in any order and
//! so differ. How far is eq. 15 to 17. All terms are non-negative, computed in f64
//! and enlarged by more than their own rounding, so a bound never comes out small.

use half::{bf16, f16};
use reference::ops::{AveragePoolGeometry, average_pool2d, conv2d, linear, max_pool2d};
use reference::{Element, Op, ShapeError, Tensor, Weights};

/// Half the distance from 1 to the next f64: the relative error of one rounding.
const U64: f64 = f64::EPSILON / 2.0;

/// The rounding of a float type.
pub trait Roundoff: Element {
    /// u: the largest relative error of rounding a sum in the accumulator type.
    const SUM: f64;
    /// The largest absolute error of a product that underflows there.
    const UNDERFLOW: f64;
    /// u of the last rounding, from the accumulator to this type; 0 if they are one.
    const NARROW: f64;
    /// Half the smallest subnormal of this type, where `NARROW` counts.
    const NARROW_UNDERFLOW: f64;
}

impl Roundoff for f64 {
    const SUM: f64 = U64;
    const UNDERFLOW: f64 = f64::MIN_POSITIVE * U64;
    const NARROW: f64 = 0.0;
    const NARROW_UNDERFLOW: f64 = 0.0;
}

impl Roundoff for f32 {
    const SUM: f64 = f32::EPSILON as f64 / 2.0;
    const UNDERFLOW: f64 = f32::MIN_POSITIVE as f64 * Self::SUM;
    const NARROW: f64 = 0.0;
    const NARROW_UNDERFLOW: f64 = 0.0;
}

impl Roundoff for f16 {
    const SUM: f64 = f32::SUM;
    const UNDERFLOW: f64 = f32::UNDERFLOW;
    const NARROW: f64 = 1.0 / 2048.0;
    const NARROW_UNDERFLOW: f64 = 1.0 / 33_554_432.0;
}

impl Roundoff for bf16 {
    const SUM: f64 = f32::SUM;
    const UNDERFLOW: f64 = f32::UNDERFLOW;
    const NARROW: f64 = 1.0 / 256.0;
    const NARROW_UNDERFLOW: f64 = f32::MIN_POSITIVE as f64 / 256.0;
}

/// `γ_n = n·u / (1 − n·u)`: the relative error of a sum of n products in any order,
/// n counting the bias. ∞ where the model gives nothing.
pub fn gamma(n: usize, u: f64) -> f64 {
    let nu = n as f64 * u;
    if nu < 1.0 {
        outward(nu / (1.0 - nu), 3)
    } else {
        f64::INFINITY
    }
}

/// How much more than `value` a sum of non-negative terms can be that was computed as
/// `value` in f64 with at most `roundings` roundings on any path.
fn outward(value: f64, roundings: usize) -> f64 {
    // (1 + u)^(k+2) < 1 + 2(k+2)u; two more for this product and sum themselves.
    value * (1.0 + 2.0 * (roundings + 2) as f64 * U64)
}

/// Eq. 16: bounds elementwise how far two evaluations of `op` in `E` lie apart whose
/// inputs lie within `input_bound` of each other.
///
/// `input` and `output` are those of one of the two (ours); the bound holds whatever
/// order, blocking or fused multiply-add the other uses, for exp and ln within two
/// units in the last place, and for f16 and bf16 that are summed in f32.
///
/// # Errors
/// Shapes that do not fit.
pub fn disagreement<E: Roundoff>(
    op: &Op<Weights<E>>,
    input: &Tensor<E>,
    output: &Tensor<E>,
    input_bound: &Tensor<f64>,
) -> Result<Tensor<f64>, ShapeError> {
    match op {
        Op::Conv2d { geometry, weights } => {
            let terms = weights.weight.item_len();
            let (spread, weight, bias) = products(weights, input, input_bound, terms);
            let sums = conv2d(&spread, &weight, bias.as_deref(), geometry)?;
            Ok(of_sums::<E>(&sums, output, terms + 1))
        }
        Op::Linear { weights } => {
            let terms = weights.weight.item_len();
            let (spread, weight, bias) = products(weights, input, input_bound, terms);
            let sums = linear(&spread, &weight, bias.as_deref())?;
            Ok(of_sums::<E>(&sums, output, terms + 1))
        }
        // Both are 1-Lipschitz in the max norm and round nothing.
        Op::Relu => Ok(input_bound.clone()),
        Op::MaxPool2d(geometry) => max_pool2d(input_bound, geometry),
        Op::AveragePool2d(geometry) => mean::<E>(input, output, input_bound, geometry),
        Op::Flatten => reference::ops::flatten(input_bound.clone()),
        Op::LogSoftmax => log_softmax(input, output, input_bound),
    }
}

/// What a weighted layer's bound sums: `v = (1 + γ)·d_I + 2γ·|I|` against |W|, from
/// 2γ|β| (eq. 16).
type Products = (Tensor<f64>, Tensor<f64>, Option<Vec<f64>>);

fn products<E: Roundoff>(
    weights: &Weights<E>,
    input: &Tensor<E>,
    input_bound: &Tensor<f64>,
    terms: usize,
) -> Products {
    let gamma = gamma(terms + 1, E::SUM);
    let spread = spread(input, input_bound, gamma);
    let weight = weights.weight.map(|w| w.to_f64_exact().abs());
    let bias = (weights.bias.as_ref()).map(|bias| {
        bias.iter()
            .map(|b| 2.0 * gamma * b.to_f64_exact().abs())
            .collect()
    });
    (spread, weight, bias)
}

/// `(1 + γ)·d_I + 2γ·|I|` elementwise.
fn spread<E: Roundoff>(input: &Tensor<E>, input_bound: &Tensor<f64>, gamma: f64) -> Tensor<f64> {
    let mut spread = input_bound.clone();
    for (d, x) in spread.data_mut().iter_mut().zip(input.data()) {
        *d = (1.0 + gamma) * *d + 2.0 * gamma * x.to_f64_exact().abs();
    }
    spread
}

/// The bound of an output whose terms' bounds were summed to `sums`: enlarged by the
/// rounding of that sum, by underflow, and by the last rounding to E.
fn of_sums<E: Roundoff>(sums: &Tensor<f64>, output: &Tensor<E>, terms: usize) -> Tensor<f64> {
    let mut bound = sums.clone();
    for (d, y) in bound.data_mut().iter_mut().zip(output.data()) {
        let before = outward(*d + 2.0 * terms as f64 * E::UNDERFLOW, terms + 6);
        *d = narrowed::<E>(before, y.to_f64_exact().abs());
    }
    bound
}

/// Adds the last rounding of both evaluations: each is within `NARROW` of a value
/// that is at most |ours| / (1 − NARROW) + the distance between them.
fn narrowed<E: Roundoff>(before: f64, ours: f64) -> f64 {
    if E::NARROW == 0.0 {
        return before;
    }
    let larger = ours / (1.0 - E::NARROW) + E::NARROW_UNDERFLOW + before;
    outward(before + 2.0 * (E::NARROW * larger + E::NARROW_UNDERFLOW), 8)
}

/// The bound of a sum of two tensors, elementwise: one rounding each.
pub fn add_disagreement<E: Roundoff>(output: &Tensor<E>) -> Tensor<f64> {
    output.map(|y| {
        let y = y.to_f64_exact().abs();
        let before = outward(2.0 * E::SUM * y / (1.0 - E::SUM), 4);
        narrowed::<E>(before, y)
    })
}

/// A mean is a dot product with weights 1/count and one division more.
fn mean<E: Roundoff>(
    input: &Tensor<E>,
    output: &Tensor<E>,
    input_bound: &Tensor<f64>,
    geometry: &AveragePoolGeometry,
) -> Result<Tensor<f64>, ShapeError> {
    let taps = geometry.window.kernel[0] * geometry.window.kernel[1];
    let spread = spread(input, input_bound, gamma(taps + 1, E::SUM));
    let sums = average_pool2d(&spread, geometry)?;
    Ok(of_sums::<E>(&sums, output, taps + 1))
}

/// Eq. 17. PyTorch keeps the differences and the sum in the half types themselves, so
/// every step is taken to round to E.
fn log_softmax<E: Roundoff>(
    input: &Tensor<E>,
    output: &Tensor<E>,
    input_bound: &Tensor<f64>,
) -> Result<Tensor<f64>, ShapeError> {
    let classes = input.item_len();
    let u = f64::max(E::SUM, E::NARROW);
    let function = 4.0 * u; // exp and ln within two units in the last place
    let mut bound = output.map(|y| y.to_f64_exact().abs());
    if classes == 0 {
        return Ok(bound);
    }
    let rows = (input.data().chunks_exact(classes)).zip(input_bound.data().chunks_exact(classes));
    for (out, (x, d)) in bound.data_mut().chunks_exact_mut(classes).zip(rows) {
        let wide = || x.iter().map(|x| x.to_f64_exact());
        let d_in = d.iter().copied().fold(0.0, f64::max);
        let low = wide().fold(f64::INFINITY, f64::min);
        let high = wide().fold(f64::NEG_INFINITY, f64::max);
        let width = outward(high - low, 1) + 2.0 * d_in;
        let log_classes = outward((classes as f64).ln(), 4);
        // Each exp sees an argument that is off by u·width and is itself inexact …
        let exp = outward((u * width).exp_m1(), 4) + 2.0 * function;
        // … then the sum of positive terms, of which one is 1.
        let underflow = classes as f64 * f64::from(f32::MIN_POSITIVE);
        let sum = exp + gamma(classes + 1, u) * (1.0 + exp) + underflow;
        let of_sum = if sum < 1.0 {
            sum / (1.0 - sum)
        } else {
            f64::INFINITY
        };
        let log = of_sum + function * (log_classes + of_sum) + E::UNDERFLOW;
        let subtractions = u * (2.0 * width + 2.0 * log_classes + log) * (1.0 + u);
        let before = outward(2.0 * d_in + 2.0 * (log + subtractions), 24);
        for o in out {
            *o = narrowed::<E>(before, *o);
        }
    }
    Ok(bound)
}

/// The relative error of a chain of scales, layers deep, whose every scale was rounded
/// to f32 once and whose products were formed in f64.
pub fn scale_chain(layers: usize) -> f64 {
    gamma(layers + 1, f32::SUM) + gamma(4 * layers + 4, U64)
}
