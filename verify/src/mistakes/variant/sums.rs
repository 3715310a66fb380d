//! Sums that are made otherwise.

use std::sync::Arc;

use reference::Tensor;

use super::{Parts, Site, Variant, laid_out, read_as, saturate};
use crate::model::{Accumulate, Accumulator, Step, Term};

/// Other sums; nothing at any other step, and nothing where it changes nothing.
impl Site<'_> {
    /// The sums with something changed.
    pub fn sums(&self, parameters: &str, change: impl FnOnce(&mut Accumulate)) -> Option<Variant> {
        let right = self.accumulate()?;
        let mut wrong = right.clone();
        change(&mut wrong);
        (!right.has_numbers_of(&wrong)).then(|| Variant::named(parameters, Step::Accumulate(wrong)))
    }

    /// The sums made by a function of the products and the bias.
    pub fn summing(
        &self,
        parameters: &str,
        sum: impl Fn(&[Term], i64) -> i64 + Send + Sync + 'static,
    ) -> Option<Variant> {
        self.kept(parameters, Accumulator::Other(Arc::new(sum)))
    }

    /// The sums made by a function of the output channel and the exact sum.
    pub fn of_sum(
        &self,
        parameters: &str,
        narrow: impl Fn(usize, i64) -> i64 + Send + Sync + 'static,
    ) -> Option<Variant> {
        self.kept(parameters, Accumulator::OfSum(Arc::new(narrow)))
    }

    fn kept(&self, parameters: &str, accumulator: Accumulator) -> Option<Variant> {
        let mut accumulate = self.accumulate()?.clone();
        accumulate.accumulator = accumulator;
        Some(Variant::named(parameters, Step::Accumulate(accumulate)))
    }

    /// Every bias code, made by a function of its channel and the right code; nothing of a layer
    /// without a bias.
    pub fn bias_codes(
        &self,
        parameters: &str,
        code: impl Fn(usize, i64) -> i64,
    ) -> Option<Variant> {
        if !self.origin()?.has_bias_codes() {
            return None;
        }
        self.sums(parameters, |sums| {
            let codes = sums.bias.iter().enumerate();
            sums.bias = codes.map(|(o, &right)| code(o, right)).collect();
        })
    }

    /// Every bias code, made by a function of the real bias and the scales, saturated to int32.
    pub fn bias_of(&self, parameters: &str, code: impl Fn(f64, &Parts) -> f64) -> Option<Variant> {
        let bias = self.origin()?.float.bias.as_ref()?;
        let parts: Vec<Parts> = (0..bias.len())
            .map(|o| self.parts(o))
            .collect::<Option<_>>()?;
        self.bias_codes(parameters, |o, _| {
            saturate(code(f64::from(bias[o]), &parts[o]), 32)
        })
    }

    /// Biases in other steps than the accumulator's, rounded half to even.
    pub fn bias_in_steps_of(
        &self,
        parameters: &str,
        step: impl Fn(&Parts) -> f64,
    ) -> Option<Variant> {
        self.bias_of(parameters, |bias, parts| {
            (bias / step(parts)).round_ties_even()
        })
    }

    /// Weight codes made by a function of the output channel and the float32 quotient.
    pub fn weights_of(
        &self,
        parameters: &str,
        code: impl Fn(usize, usize, f32) -> f64,
    ) -> Option<Variant> {
        let float = &self.origin()?.float.weight;
        let grid = self.weight_grid();
        self.sums(parameters, |sums| {
            let len = float.item_len().max(1);
            let codes = float.data().iter().enumerate().map(|(at, &w)| {
                let z = f64::from(sums.weight_zero_points[at / len]);
                grid.clamp(code(at / len, at % len, w) + z)
            });
            if let Ok(codes) = Tensor::new(float.shape(), codes.collect()) {
                sums.weight = codes;
            }
        })
    }

    /// Weight codes rounded otherwise.
    pub fn weights_rounded(&self, parameters: &str, round: impl Fn(f64) -> f64) -> Option<Variant> {
        let scales = &self.origin()?.weight_scales;
        self.weights_of(parameters, |o, _, w| {
            let scale = scales[if scales.len() == 1 { 0 } else { o }];
            round(f64::from(w / scale.get()))
        })
    }

    /// The same weight codes in other places: `from` says for each place whose it gets.
    pub fn weights_placed(
        &self,
        parameters: &str,
        from: impl Fn(&[usize], usize) -> usize,
    ) -> Option<Variant> {
        self.sums(parameters, |sums| {
            let codes = sums.weight.data();
            let shape = sums.weight.shape().to_vec();
            let moved: Vec<i32> = (0..codes.len())
                .map(|at| codes[from(&shape, at) % codes.len()])
                .collect();
            if let Ok(moved) = Tensor::new(&shape, moved) {
                sums.weight = moved;
            }
        })
    }

    /// The weights as they are read when their buffer has its axes in another order than the
    /// reader takes it to have: `axes[i]` is the right axis that lies i-th in the buffer.
    pub fn weights_laid_out(&self, parameters: &str, axes: &[usize]) -> Option<Variant> {
        if self.accumulate()?.weight.shape().len() != axes.len() {
            return None;
        }
        self.weights_placed(parameters, |shape, at| laid_out(shape, axes, at))
    }

    /// The weights as they are read when the reader takes their buffer, which is right, to have
    /// its axes in another order.
    pub fn weights_read(&self, parameters: &str, axes: &[usize]) -> Option<Variant> {
        if self.accumulate()?.weight.shape().len() != axes.len() {
            return None;
        }
        self.weights_placed(parameters, |shape, at| read_as(shape, axes, at))
    }

    /// Orders in which the products of an output are summed, by name: indices of its terms.
    pub fn tap_orders(&self) -> Vec<(&'static str, Vec<usize>)> {
        let Some(sums) = self.accumulate() else {
            return Vec::new();
        };
        let len = sums.weight.item_len();
        let mut orders = vec![("CHW", (0..len).collect())];
        if let [_, channels, height, width] = *sums.weight.shape()
            && channels > 1
            && height * width > 1
        {
            let last = (0..len).map(|at| laid_out(&[channels, height, width], &[1, 2, 0], at));
            orders.push(("HWC", last.collect()));
        }
        orders
    }

    /// The sums without the products of some taps, counted in the order (c, ky, kx).
    pub fn without_taps(
        &self,
        parameters: &str,
        left_out: impl Fn(usize, usize) -> bool,
    ) -> Option<Variant> {
        self.sums(parameters, |sums| {
            let len = sums.weight.item_len().max(1);
            for (at, code) in sums.weight.data_mut().iter_mut().enumerate() {
                if left_out(at % len, len) {
                    *code = sums.weight_zero_points[at / len];
                }
            }
        })
    }
}
