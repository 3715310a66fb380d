//! Eq. 20: through a weighted layer and its requantization.

use reference::ops::{conv2d, linear};
use reference::{Op, ShapeError, Tensor, Weights};

use super::{CHAIN, Codes, LayerBound};
use crate::bounds::{U64, disagreement, outward};

/// A quantized weighted layer as the bound sees it, whatever its scheme: what the codes
/// stand for, and how far that lies from the float parameters.
///
/// Scales may be one an output channel, zero points anything (eq. 22): only real values count here,
/// and a padded position stands for 0 on both sides.
#[derive(Clone, Debug)]
pub struct QuantizedLayer {
    /// |Ŵ|: OIHW or [out, in].
    magnitude: Tensor<f64>,
    /// |Ŵ − W|.
    weight_error: Tensor<f64>,
    /// |β̂ − β|, one an output channel.
    bias_error: Vec<f64>,
    /// S_O, the real value of one output code.
    step: f64,
    codes: Codes,
    arithmetic: f64,
}

impl QuantizedLayer {
    /// - `weight`: Ŵ, the exact real values of the weight codes, `s_W·(W_q − z_W)`;
    /// - `bias`: β̂, those of the bias codes (empty without a bias), to within the
    ///   roundings of a chain of scales;
    /// - `step`: S_O, the real value of one output code;
    /// - `arithmetic`: the largest relative error of the computed quotient that is rounded
    ///   to a code, against the exact accumulator's real value over S_O.
    pub fn new(
        float: &Weights<f64>,
        weight: &Tensor<f64>,
        bias: Vec<f64>,
        step: f64,
        codes: Codes,
        arithmetic: f64,
    ) -> Self {
        let mut weight_error = weight.clone();
        for (error, w) in weight_error.data_mut().iter_mut().zip(float.weight.data()) {
            *error = outward((*error - w).abs() + error.abs() * U64, 2);
        }
        // A bias on one side only is all error.
        let at = |values: Option<&[f64]>, o: usize| values.and_then(|v| v.get(o)).copied();
        let bias_error = (0..weight.shape()[0])
            .map(|o| {
                let real = at(float.bias.as_deref(), o).unwrap_or(0.0);
                let back = at(Some(&bias), o).unwrap_or(0.0);
                // The chain of scales in β̂ rounds; the difference must not hide it.
                outward((real - back).abs() + back.abs() * CHAIN as f64 * U64, 2)
            })
            .collect();
        Self {
            magnitude: weight.map(f64::abs),
            weight_error,
            bias_error,
            step,
            codes,
            arithmetic,
        }
    }

    /// S_O.
    pub fn step(&self) -> f64 {
        self.step
    }

    /// The layer's bound on these inputs, element by element; `float` is the float layer.
    ///
    /// # Errors
    /// An input that does not fit, or a layer without weights.
    pub fn a_posteriori(
        &self,
        float: &Op<Weights<f64>>,
        input: &LayerBound,
    ) -> Result<LayerBound, ShapeError> {
        let real = reference::network::apply(float, &input.real)?;
        let real_error = disagreement(float, &input.real, &real, &input.real_error)?;
        let mut magnitude = input.real.map(f64::abs);
        for (x, error) in magnitude.data_mut().iter_mut().zip(input.real_error.data()) {
            *x = outward(*x + error, 1);
        }
        let product = |x: &Tensor<f64>, w: &Tensor<f64>, b: &[f64]| match float {
            Op::Conv2d { geometry, .. } => conv2d(x, w, Some(b), geometry),
            _ => linear(x, w, Some(b)),
        };
        let zeros = vec![0.0; self.bias_error.len()];
        let through_weights = product(&input.bound, &self.magnitude, &zeros)?;
        let from_weights = product(&magnitude, &self.weight_error, &self.bias_error)?;
        let mut bound = real.clone();
        for (i, e) in bound.data_mut().iter_mut().enumerate() {
            let acc = through_weights.data()[i] + from_weights.data()[i];
            let acc = outward(acc, self.roundings());
            *e = self.requantized(*e, real_error.data()[i], acc);
        }
        Ok(LayerBound {
            real,
            real_error,
            bound,
            step: self.step,
        })
    }

    /// The layer's bound for every input with |I| ≤ `input_range` whose codes are within
    /// `input_error`, and whose outputs stay in [`low`, `high`]. One number.
    pub fn a_priori(&self, input_error: f64, input_range: f64, [low, high]: [f64; 2]) -> f64 {
        let channel = |o: usize| {
            let through: f64 = (self.magnitude.item(o).iter())
                .map(|w| w * input_error)
                .sum();
            let from: f64 = (self.weight_error.item(o).iter())
                .map(|d| d * input_range)
                .sum();
            outward(through + from + self.bias_error[o], self.roundings())
        };
        let channels = 0..self.bias_error.len();
        let acc = channels.map(channel).fold(0.0, f64::max);
        // In between, the distance from the codes is no larger, and |O| neither.
        let largest = low.abs().max(high.abs());
        let ends = [low, high].map(|end| self.requantized_within(end, largest, 0.0, acc));
        ends.into_iter().fold(0.0, f64::max)
    }

    /// On the way of one product into the accumulator's bound: its own, those of the sum, and
    /// those of what is added to that.
    fn roundings(&self) -> usize {
        self.magnitude.item_len() + 2
    }

    /// The bound of one output, given that of its accumulator in real units.
    fn requantized(&self, real: f64, real_error: f64, acc: f64) -> f64 {
        self.requantized_within(real, real.abs(), real_error, acc)
    }

    /// The same where the output is at most `largest` in magnitude.
    fn requantized_within(&self, real: f64, largest: f64, real_error: f64, acc: f64) -> f64 {
        let v = real / self.step;
        let quotient = outward((largest + real_error + acc) / self.step, CHAIN);
        let arithmetic = outward(self.arithmetic * quotient, 4);
        // v is known to within the error of `real` and of the scale chain.
        let of_v = outward(
            real_error / self.step + quotient * CHAIN as f64 * U64,
            CHAIN,
        );
        let inside = outward(acc / self.step, CHAIN) + arithmetic + of_v;
        outward(self.step * (self.codes.rounded(inside, v) + of_v), CHAIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rounding;
    use crate::bounds::int8::FLOAT32_DIVISION;

    /// W = (0.9, −2.1) and β = 0.3 as codes of step ½ and ¼: Ŵ = (1, −2), β̂ = ¼.
    fn layer(step: f64, arithmetic: f64) -> (Op<Weights<f64>>, QuantizedLayer) {
        let weights = Weights {
            weight: Tensor::new(&[1, 2], vec![0.9, -2.1]).unwrap(),
            bias: Some(vec![0.3]),
        };
        let quantized = Tensor::new(&[1, 2], vec![1.0, -2.0]).unwrap();
        let codes = Codes::int8(Rounding::TiesToEven);
        let layer = QuantizedLayer::new(&weights, &quantized, vec![0.25], step, codes, arithmetic);
        (Op::Linear { weights }, layer)
    }

    fn input(values: [f64; 2], bound: f64) -> LayerBound {
        let tensor = |values: &[f64]| Tensor::new(&[1, 2], values.to_vec()).unwrap();
        LayerBound {
            real: tensor(&values),
            real_error: tensor(&[0.0; 2]),
            bound: tensor(&[bound; 2]),
            step: 1.0,
        }
    }

    /// At least this, and not more than the roundings of f64 explain.
    fn close(bound: f64, expected: f64) {
        assert!(
            (expected * (1.0 - 8.0 * U64)..=expected * (1.0 + (1 << 21) as f64 * U64))
                .contains(&bound),
            "{bound} for {expected}"
        );
    }

    #[test]
    fn an_output_errs_by_eq_20() {
        let (op, layer) = layer(0.5, 0.0);
        let output = layer.a_posteriori(&op, &input([3.0, -4.0], 0.125)).unwrap();
        // |Ŵ|·e_I + δW·|I| + δβ, and half an output step.
        let acc = 3.0 * 0.125 + 0.1 * 7.0 + 0.05;
        close(output.bound.data()[0], acc + 0.25);
        assert_eq!(output.step, 0.5);
    }

    #[test]
    fn an_uncertain_input_errs_by_what_the_weights_make_of_it() {
        let (op, layer) = layer(0.5, 0.0);
        let mut input = input([3.0, -4.0], 0.125);
        input.real_error = input.real_error.map(|_| 0.5);
        let output = layer.a_posteriori(&op, &input).unwrap();
        // |I| is ½ more where δW is applied; the output's own ½·Σ|W| counts twice.
        let acc = 3.0 * 0.125 + 0.1 * (7.0 + 2.0 * 0.5) + 0.05;
        close(output.bound.data()[0], acc + 2.0 * (3.0 * 0.5) + 0.25);
    }

    #[test]
    fn a_chain_of_scales_counts_on_both_sides_of_the_rounding() {
        let (_, mut layer) = layer(1.0, 0.0);
        let largest = (1u64 << 39) as f64;
        layer.codes.reach = [-largest, largest];
        // 2048 roundings of a quotient of 2³⁹ are an eighth of a step.
        close(layer.requantized(largest, 0.0, 0.0), 0.5 + 2.0 * 0.125);
    }

    #[test]
    fn an_accumulator_of_bounds_is_no_less_than_the_exact_one() {
        const TERMS: usize = 1 << 16;
        // 1 + (2¹⁶ − 1)·u in f64, summed in this order, is 1: every u is lost.
        let mut magnitude = vec![U64; TERMS];
        magnitude[0] = 1.0;
        let weights = Weights {
            weight: Tensor::new(&[1, TERMS], magnitude).unwrap(),
            bias: None,
        };
        let exact = 1.0 + TERMS as f64 * U64;
        let codes = Codes::int8(Rounding::TiesToEven);
        // So fine an output that half a step of it is nothing, and within its codes.
        let step = 1.0 / (1u64 << 60) as f64;
        let mut layer = QuantizedLayer::new(&weights, &weights.weight, vec![], step, codes, 0.0);
        layer.codes.reach = [f64::NEG_INFINITY, f64::INFINITY];
        assert!(layer.a_priori(1.0, 0.0, [0.0, 0.0]) >= exact);
        let zeros = Tensor::full(&[1, TERMS], 0.0).unwrap();
        let input = LayerBound {
            real: zeros.clone(),
            real_error: zeros.clone(),
            bound: zeros.map(|_| 1.0),
            step: 1.0,
        };
        let output = layer.a_posteriori(&Op::Linear { weights }, &input).unwrap();
        assert!(output.bound.data()[0] >= exact);
    }

    #[test]
    fn a_bias_on_one_side_only_is_all_error() {
        let both = Weights {
            weight: Tensor::new(&[1, 1], vec![1.0]).unwrap(),
            bias: Some(vec![0.5]),
        };
        let neither = Weights {
            bias: None,
            ..both.clone()
        };
        let codes = Codes::int8(Rounding::TiesToEven);
        let bias_error = |float: &Weights<f64>, bias: Vec<f64>| {
            let layer = QuantizedLayer::new(float, &float.weight, bias, 1.0, codes, 0.0);
            layer.bias_error[0]
        };
        close(bias_error(&both, vec![]), 0.5);
        close(bias_error(&neither, vec![-0.25]), 0.25);
        close(bias_error(&both, vec![0.25]), 0.25);
        assert_eq!(bias_error(&neither, vec![]), 0.0);
    }

    #[test]
    fn an_output_out_of_reach_errs_by_its_distance() {
        let (op, layer) = layer(0.03125, 0.0);
        let output = layer.a_posteriori(&op, &input([3.0, -4.0], 0.001)).unwrap();
        let real = 0.9 * 3.0 + 2.1 * 4.0 + 0.3;
        close(output.bound.data()[0], real - 127.0 * 0.03125);
    }

    #[test]
    fn the_requantizer_errs_with_the_largest_quotient_that_there_may_be() {
        let (_, exact) = layer(0.5, 0.0);
        let (_, float) = layer(0.5, FLOAT32_DIVISION);
        let more = float.requantized(20.0, 0.0, 1.0) - exact.requantized(20.0, 0.0, 1.0);
        let expected = FLOAT32_DIVISION * (20.0 + 1.0);
        assert!(
            (more / expected - 1.0).abs() < 1.0 / 1024.0,
            "{more} for {expected}"
        );
        let more = float.requantized(20.0, 0.25, 1.0) - exact.requantized(20.0, 0.25, 1.0);
        let expected = FLOAT32_DIVISION * (20.0 + 0.25 + 1.0);
        assert!(
            (more / expected - 1.0).abs() < 1.0 / 1024.0,
            "{more} for {expected}"
        );
        // An uncertain real counts in the quotient, and twice in v.
        let uncertain = exact.requantized(20.0, 0.25, 1.0);
        close(uncertain, 1.0 + 0.25 + 2.0 * 0.25);
    }

    #[test]
    fn the_a_priori_bound_takes_the_worst_end() {
        let (_, layer) = layer(0.5, 0.0);
        let acc = 3.0 * 0.125 + (0.1 + 0.1) * 4.0 + 0.05;
        close(layer.a_priori(0.125, 4.0, [-60.0, 60.0]), acc + 0.25);
        // 70 lies 6½ beyond the last code, −70 only 6.
        close(layer.a_priori(0.125, 4.0, [-70.0, 70.0]), 70.0 - 63.5);
        close(layer.a_priori(0.125, 4.0, [-70.0, 60.0]), 70.0 - 64.0);
    }
}
