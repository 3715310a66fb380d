//! The only place where a tolerance is made, and each is derived.
//!
//! Two float evaluations of one layer, ours and PyTorch's, may sum in any order and
//! so differ. How far is eq. 15 to 17. All terms are non-negative, computed in f64
//! and enlarged by more than their own rounding, so a bound never comes out small.

pub mod int8;

use half::{bf16, f16};
use reference::ops::{AveragePoolGeometry, average_pool2d, conv2d, linear, max_pool2d};
use reference::{Element, Op, ShapeError, Tensor, Weights};

use crate::Scale;

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

/// u of a float type.
pub fn unit_roundoff<E: Roundoff>() -> f64 {
    E::SUM
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

/// How far `value` may lie from `back`, what its code stands for, where the code was not clamped.
///
/// The quotient is within u·|x|/s of x/s, its code within half a step of that, and the product
/// s·(q − z) is rounded once more: s/2 + u·(|x| + |x̂|).
pub fn within_codes(value: f32, back: f32, scale: Scale) -> f64 {
    let magnitudes = f64::from(value.abs()) + f64::from(back.abs());
    outward(scale.wide() / 2.0 + f32::SUM * magnitudes, 3)
}

/// How far `value / scale` may lie from a rounding boundary, in steps, if the code of another
/// value within `apart` of it is another one: each is divided by the scale in f32.
///
/// Between the two computed quotients lies a boundary. Write v = value/s and δ = apart/s. One
/// of them is within u·|v| of v. The other's quotient is at most δ from v, so at most |v| + δ
/// large, and rounds once: it is within δ + u·(|v| + δ). The boundary is no further away than
/// the farther of the two. A quotient that underflows rounds to 0 with all its neighbours.
pub fn to_rounding_boundary(value: f32, apart: f64, scale: Scale) -> f64 {
    let v = f64::from(value).abs() / scale.wide();
    let delta = apart / scale.wide();
    // The caller forms v in f64 as well, and the distance of that from the boundary.
    outward(delta + f32::SUM * (v + delta) + 2.0 * U64 * v, 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use reference::network::apply;
    use reference::{Conv2dGeometry, PoolGeometry, ops};

    /// `bound` is the closed form, enlarged by no more than its own rounding can be.
    fn assert_closed(bound: f64, closed: f64) {
        assert!(bound >= closed, "{bound:e} is below {closed:e}");
        assert!(
            bound <= closed * (1.0 + 1e-12) + 1e-40,
            "{bound:e} is far above {closed:e}"
        );
    }

    fn tensor<E: Copy>(shape: &[usize], values: &[E]) -> Tensor<E> {
        Tensor::new(shape, values.to_vec()).unwrap()
    }

    fn linear_op<E: Roundoff>(weight: &[f32], bias: Option<f32>) -> Op<Weights<E>> {
        let cast = |&w: &f32| E::from_f32(w);
        Op::Linear {
            weights: Weights {
                weight: tensor(
                    &[1, weight.len()],
                    &weight.iter().map(cast).collect::<Vec<_>>(),
                ),
                bias: bias.map(|b| vec![E::from_f32(b)]),
            },
        }
    }

    #[test]
    fn gamma_is_its_formula() {
        let u = f32::SUM;
        assert_closed(gamma(1, u), u / (1.0 - u));
        assert_closed(gamma(76, u), 76.0 * u / (1.0 - 76.0 * u));
        assert_eq!(gamma(0, u), 0.0);
        assert_eq!(gamma(1 << 24, u), f64::INFINITY);
        assert_eq!(gamma(1 << 25, u), f64::INFINITY);
        assert!(gamma((1 << 24) - 1, u).is_finite());
    }

    #[test]
    fn outward_adds_two_units_a_rounding_and_two_more() {
        for k in [0, 1, 3, 100] {
            let units = (k + 2) as f64;
            assert_eq!(outward(1.0, k), 1.0 + units * f64::EPSILON);
            assert_eq!(outward(8.0, k), 8.0 + 8.0 * units * f64::EPSILON);
        }
    }

    #[test]
    fn unit_roundoffs_are_half_an_epsilon() {
        // The distance from 1 to the next value, halved.
        assert_eq!(f64::SUM, (1f64.next_up() - 1.0) / 2.0);
        assert_eq!(f32::SUM, f64::from(1f32.next_up() - 1.0) / 2.0);
        assert_eq!(f16::NARROW, f16::EPSILON.to_f64() / 2.0);
        assert_eq!(bf16::NARROW, bf16::EPSILON.to_f64() / 2.0);
        assert_eq!([f16::SUM, bf16::SUM], [f32::SUM; 2]);
        // Half the smallest subnormal.
        assert_eq!(f64::UNDERFLOW, 0.0f64.max(f64::MIN_POSITIVE * U64));
        assert_eq!(f32::UNDERFLOW, f64::from(f32::from_bits(1)) / 2.0);
        assert_eq!(f16::NARROW_UNDERFLOW, f16::from_bits(1).to_f64() / 2.0);
        assert_eq!(bf16::NARROW_UNDERFLOW, bf16::from_bits(1).to_f64() / 2.0);
        assert_eq!([f16::UNDERFLOW, bf16::UNDERFLOW], [f32::UNDERFLOW; 2]);
        assert_eq!(
            [
                f64::NARROW,
                f32::NARROW,
                f64::NARROW_UNDERFLOW,
                f32::NARROW_UNDERFLOW
            ],
            [0.0; 4]
        );
    }

    #[test]
    fn a_layer_is_eq_16() {
        let (w, x, d, b) = ([3.0, -0.5], [2.0, -7.0], [0.125, 0.25], 11.0);
        let op = linear_op::<f32>(&w, Some(b));
        let input = tensor(&[1, 2], &x);
        let output = apply(&op, &input).unwrap();
        let g = gamma(3, f32::SUM);
        let term =
            |i: usize| f64::from(w[i].abs()) * ((1.0 + g) * d[i] + 2.0 * g * f64::from(x[i].abs()));
        let closed = term(0) + term(1) + 2.0 * g * f64::from(b);
        let bound = disagreement(&op, &input, &output, &tensor(&[1, 2], &d)).unwrap();
        assert_closed(bound.data()[0], closed);

        // A 1×1 convolution is the same layer.
        let Op::Linear { weights } = op else {
            unreachable!()
        };
        let conv = Op::Conv2d {
            geometry: Conv2dGeometry::default(),
            weights: Weights {
                weight: weights.weight.reshape(&[1, 2, 1, 1]).unwrap(),
                bias: weights.bias,
            },
        };
        let shape = [1, 2, 1, 1];
        let output = output.reshape(&[1, 1, 1, 1]).unwrap();
        let same = disagreement(&conv, &tensor(&shape, &x), &output, &tensor(&shape, &d)).unwrap();
        assert_eq!(same.data(), bound.data());
        assert_eq!(same.shape(), [1, 1, 1, 1]);
    }

    #[test]
    fn underflow_is_counted() {
        let op = linear_op::<f32>(&[0.0, 0.0], None);
        let input = tensor(&[1, 2], &[0.0f32; 2]);
        let zero = tensor(&[1, 2], &[0.0; 2]);
        let bound = disagreement(&op, &input, &tensor(&[1, 1], &[0.0]), &zero).unwrap();
        let closed = 2.0 * 3.0 * f32::UNDERFLOW;
        assert!(bound.data()[0] >= closed && bound.data()[0] < 2.0 * closed);
    }

    #[test]
    fn half_types_add_their_last_rounding() {
        let op = linear_op::<f16>(&[1.0], None);
        let input = tensor(&[1, 1], &[f16::from_f32(3.0)]);
        let bound = disagreement(&op, &input, &input, &tensor(&[1, 1], &[0.0])).unwrap();
        let before = 2.0 * gamma(2, f32::SUM) * 3.0 + 4.0 * f32::UNDERFLOW;
        let u = f16::NARROW;
        let largest = 3.0 / (1.0 - u) + f16::NARROW_UNDERFLOW + before;
        let closed = before + 2.0 * (u * largest + f16::NARROW_UNDERFLOW);
        assert_closed(bound.data()[0], closed);
    }

    #[test]
    fn selecting_layers_pass_the_bound_on() {
        let input = tensor(&[1, 1, 2, 2], &[1.0f32, -2.0, 3.0, -4.0]);
        let d = tensor(&[1, 1, 2, 2], &[0.5, 0.25, 2.0, 1.0]);
        let window = PoolGeometry {
            kernel: [2, 2],
            stride: [2, 2],
            padding: [0, 0],
        };
        let of = |op: Op<Weights<f32>>| {
            let output = apply(&op, &input).unwrap();
            disagreement(&op, &input, &output, &d).unwrap()
        };
        assert_eq!(of(Op::Relu), d);
        assert_eq!(of(Op::MaxPool2d(window)).data(), [2.0]);
        assert_eq!(of(Op::Flatten), d.clone().reshape(&[1, 4]).unwrap());
        let mean = of(Op::AveragePool2d(AveragePoolGeometry {
            window,
            count_include_pad: true,
        }));
        let g = gamma(5, f32::SUM);
        let spread = |d: f64, x: f64| (1.0 + g) * d + 2.0 * g * x;
        let closed = spread(0.5, 1.0) + spread(0.25, 2.0) + spread(2.0, 3.0) + spread(1.0, 4.0);
        assert_closed(mean.data()[0], closed / 4.0);
        // Three by two: the taps are counted by area.
        let wide = PoolGeometry {
            kernel: [1, 2],
            ..window
        };
        let mean = of(Op::AveragePool2d(AveragePoolGeometry {
            window: wide,
            count_include_pad: true,
        }));
        let g = gamma(3, f32::SUM);
        let closed = ((1.0 + g) * 0.75 + 2.0 * g * 3.0) / 2.0;
        assert_closed(mean.data()[0], closed);
    }

    #[test]
    fn a_sum_rounds_once_on_each_side() {
        let bound = add_disagreement(&tensor(&[2], &[4.0f32, -0.5]));
        let u = f32::SUM;
        assert_closed(bound.data()[0], 2.0 * u * 4.0 / (1.0 - u));
        assert_closed(bound.data()[1], 2.0 * u * 0.5 / (1.0 - u));
        let half = add_disagreement(&tensor(&[1], &[bf16::from_f32(4.0)])).data()[0];
        assert!(half > 2.0 * bf16::NARROW * 4.0 && half < 2.1 * bf16::NARROW * 4.0);
    }

    #[test]
    fn log_softmax_is_eq_17() {
        let x = [0.0f32, -3.0, 1.0];
        let input = tensor(&[1, 3], &x);
        let output = ops::log_softmax(&input).unwrap();
        let d = 0.125;
        let bound = disagreement(
            &Op::LogSoftmax,
            &input,
            &output,
            &tensor(&[1, 3], &[d, 0.0, 0.0]),
        );
        let (u, k) = (f32::SUM, 3.0f64);
        let width = 4.0 + 2.0 * d;
        let exp = (u * width).exp_m1() + 8.0 * u;
        let sum = exp + gamma(4, u) * (1.0 + exp) + k * f64::from(f32::MIN_POSITIVE);
        let of_sum = sum / (1.0 - sum);
        let log = of_sum + 4.0 * u * (k.ln() + of_sum) + f32::UNDERFLOW;
        let closed = 2.0 * d + 2.0 * (log + u * (2.0 * width + 2.0 * k.ln() + log) * (1.0 + u));
        for &bound in bound.unwrap().data() {
            assert_closed(bound, closed);
        }
        // So wide that exp says nothing: no bound, and no nonsense.
        let far = tensor(&[1, 2], &[0.0f32, 3e8]);
        let zero = tensor(&[1, 2], &[0.0; 2]);
        let none = disagreement(&Op::LogSoftmax, &far, &far, &zero).unwrap();
        assert_eq!(none.data(), [f64::INFINITY; 2]);
    }

    #[test]
    fn log_softmax_of_a_half_type_rounds_every_step() {
        let input = tensor(&[1, 2], &[bf16::from_f32(0.0); 2]);
        let output = ops::log_softmax(&input).unwrap();
        let zero = tensor(&[1, 2], &[0.0; 2]);
        let bound = disagreement(&Op::LogSoftmax, &input, &output, &zero)
            .unwrap()
            .data()[0];
        let u = bf16::NARROW;
        // exp 8u, sum γ_3, log of it, and the last subtractions: some thirty roundings.
        assert!(bound > 20.0 * u && bound < 60.0 * u, "{}", bound / u);
    }

    #[test]
    fn scale_chains_count_their_roundings() {
        assert_closed(scale_chain(2), gamma(3, f32::SUM) + gamma(12, U64));
        assert_closed(scale_chain(0), gamma(1, f32::SUM) + gamma(4, U64));
    }

    #[test]
    fn a_code_is_within_half_a_step_and_two_roundings() {
        let half = Scale::new(0.5).unwrap();
        for [x, back] in [[3.2f32, 3.0], [-3.2, -3.0]] {
            let u = f32::SUM;
            let expected = 0.25 + u * (f64::from(x.abs()) + 3.0);
            assert_closed(within_codes(x, back, half), expected);
        }
    }

    #[test]
    fn codes_differ_only_within_two_roundings_of_a_boundary() {
        let half = Scale::new(0.5).unwrap();
        let u = f32::SUM;
        // v = ±7 and δ = ¼.
        for value in [3.5, -3.5] {
            let bound = to_rounding_boundary(value, 0.125, half);
            assert_closed(bound, 0.25 + u * 7.25 + 14.0 * U64);
        }
        assert_closed(to_rounding_boundary(3.5, 0.0, half), u * 7.0 + 14.0 * U64);
        assert_eq!(to_rounding_boundary(0.0, 0.0, half), 0.0);
    }

    /// Values over a wide range of magnitudes.
    fn value() -> impl Strategy<Value = f32> {
        (-1f32..1., -12i32..4).prop_map(|(m, e)| m * 2f32.powi(e))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Another order of summation, another rounding of each step, other inputs.
        #[test]
        fn another_evaluation_stays_within(
            terms in prop::collection::vec((value(), value(), -1f64..1.), 1..60),
            bias in value(),
            d in 0f64..1e-3,
        ) {
            let w: Vec<f32> = terms.iter().map(|t| t.0).collect();
            let ours: Vec<f32> = terms.iter().map(|t| t.1).collect();
            let theirs: Vec<f32> = terms.iter().map(|t| (f64::from(t.1) + d * t.2) as f32).collect();
            let distance: Vec<f64> =
                ours.iter().zip(&theirs).map(|(a, b)| (f64::from(*a) - f64::from(*b)).abs()).collect();
            let op = linear_op::<f32>(&w, Some(bias));
            let shape = [1, w.len()];
            let input = tensor(&shape, &ours);
            let output = apply(&op, &input).unwrap();
            let bound = disagreement(&op, &input, &output, &tensor(&shape, &distance)).unwrap();
            let products = || w.iter().zip(&theirs);
            let backward = products().rev().fold(0f32, |s, (w, x)| s + w * x) + bias;
            let fused = products().fold(bias, |s, (w, x)| w.mul_add(*x, s));
            let exact = products().fold(f64::from(bias), |s, (w, x)| s + f64::from(*w) * f64::from(*x));
            for other in [f64::from(backward), f64::from(fused), exact] {
                let difference = (other - f64::from(output.data()[0])).abs();
                prop_assert!(difference <= bound.data()[0], "{difference:e} > {:e}", bound.data()[0]);
            }
        }

        /// Two neighbours whose codes differ, wherever the boundary between them is.
        #[test]
        fn a_boundary_that_divides_two_codes_is_within(
            step in 1e-3f32..10., code in -200i32..200, ulps in 1u32..9, below in 0u32..9,
        ) {
            let scale = Scale::new(f64::from(step)).unwrap();
            let at_boundary = (f64::from(code) + 0.5) * scale.wide();
            let ours = f32::from_bits((at_boundary as f32).to_bits() - below);
            let theirs = f32::from_bits(ours.to_bits() + ulps);
            let round = |y: f32| (y / scale.get()).round_ties_even();
            if round(ours) != round(theirs) {
                let v = f64::from(ours) / scale.wide();
                let apart = (f64::from(theirs) - f64::from(ours)).abs();
                let distance = (v - v.floor() - 0.5).abs();
                prop_assert!(distance <= to_rounding_boundary(ours, apart, scale));
            }
        }

        #[test]
        fn another_log_softmax_stays_within(
            x in prop::collection::vec(-30f32..30., 1..12),
            d in 0f64..1e-3,
        ) {
            let theirs: Vec<f64> =
                x.iter().enumerate().map(|(i, &x)| f64::from(x) + if i % 2 == 0 { d } else { -d }).collect();
            let shape = [1, x.len()];
            let input = tensor(&shape, &x);
            let output = ops::log_softmax(&input).unwrap();
            let bound = disagreement(&Op::LogSoftmax, &input, &output, &tensor(&shape, &vec![d; x.len()]));
            let exact = ops::log_softmax(&tensor(&shape, &theirs)).unwrap();
            for ((a, b), bound) in output.data().iter().zip(exact.data()).zip(bound.unwrap().data()) {
                prop_assert!((f64::from(*a) - b).abs() <= *bound);
            }
        }
    }
}
