//! Where a mistake is made, and what it makes of the step there.

use std::sync::Arc;

use quant::contracts::{self, Channel};
use quant::observers::Range;
use quant::scheme::Grid;
use quant::sq8::{multiplicative_bias, multiplier_bits};
use reference::{ShapeError, Tensor};

use super::parts::Parts;
use crate::model::{
    Accumulate, Accumulator, Arithmetic, Function, LayerOrigin, Model, ModelScheme, Observed,
    Overflow, Requantize, Step, Term, Values,
};

/// A step of a model. It may be wrong already: then a second mistake is made in it.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// The right model.
    pub model: &'a Model,
    /// Which node.
    pub node: usize,
    /// The step to change.
    pub step: &'a Step,
}

/// A wrong step.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Which form of the mistake, where there are several: `int16`, `HWIO`. Else empty.
    pub parameters: String,
    /// What is computed.
    pub step: Step,
}

impl Variant {
    /// The only form.
    pub fn only(step: Step) -> Vec<Self> {
        vec![Self::named("", step)]
    }

    /// One form of several.
    pub fn named(parameters: impl Into<String>, step: Step) -> Self {
        Self {
            parameters: parameters.into(),
            step,
        }
    }
}

/// A form of a mistake: its name, and what is done.
pub(super) type Form<F> = (&'static str, F);

/// A function of a real number: a rounding.
pub(super) type Real = fn(f64) -> f64;
/// A function of the scales that an accumulator's step is made of.
pub(super) type OfParts = fn(&Parts) -> f64;
/// A range of what was observed.
pub(super) type OfObserved = fn(&Observed) -> Range;

/// Where a step is and what belongs to it.
impl<'a> Site<'a> {
    /// The site of a model's own step.
    pub fn new(model: &'a Model, node: usize) -> Self {
        Self {
            model,
            node,
            step: &model.nodes[node].step,
        }
    }

    /// The sums, if that is what the step is.
    pub fn accumulate(&self) -> Option<&'a Accumulate> {
        match self.step {
            Step::Accumulate(accumulate) => Some(accumulate),
            _ => None,
        }
    }

    /// The requantization, if that is what the step is.
    pub fn requantize(&self) -> Option<&'a Requantize> {
        match self.step {
            Step::Requantize(requantize) => Some(requantize),
            _ => None,
        }
    }

    /// What the parameters of this weighted layer were made from.
    pub fn origin(&self) -> Option<&'a LayerOrigin> {
        self.model.origin.layers.get(self.weighted()?)
    }

    /// Which weighted layer it is, counted from 0.
    pub fn weighted(&self) -> Option<usize> {
        self.model.nodes[self.node].weighted
    }

    /// Whether s_O divides an accumulator (eq. 6, 7), rather than being a real size.
    pub fn is_relative(&self) -> bool {
        self.model.scheme == ModelScheme::MaxAbs
    }

    /// The node's output is the network's.
    pub fn is_last_weighted(&self) -> bool {
        self.weighted()
            .is_some_and(|weighted| weighted + 1 == self.model.origin.layers.len())
    }

    /// The step after this one.
    pub fn next(&self) -> Option<&'a Step> {
        (self.model.nodes.get(self.node + 1)).map(|node| &node.step)
    }

    /// The grid of the weights' codes.
    pub fn weight_grid(&self) -> Grid {
        (self.model.origin.affine).map_or(INT8, |scheme| scheme.weights.grid)
    }

    /// The grid of the codes that come out of this step, or went into it.
    pub fn activation_grid(&self) -> Grid {
        (self.model.origin.affine).map_or(INT8, |scheme| scheme.activations.grid)
    }

    /// The scales that one step of this layer's accumulator is made of, in an output channel.
    pub fn parts(&self, o: usize) -> Option<Parts> {
        let (origin, weighted) = (self.origin()?, self.weighted()?);
        let own = origin.weight_scales.get(o).or(origin.weight_scales.first());
        let (input, history) = match self.is_relative() {
            true => (
                self.model.origin.input_scale,
                self.model.origin.history(weighted),
            ),
            false => (origin.input, Vec::new()),
        };
        Some(Parts {
            own: own?.wide(),
            input: input.wide(),
            history: (history.iter())
                .map(|(w, o)| (w.wide(), o.wide()))
                .collect(),
        })
    }
}

/// Codes of the max-abs scheme.
const INT8: Grid = Grid {
    bits: 8,
    signed: true,
    narrow: false,
};

/// Other sums; nothing at any other step, and nothing where it changes nothing.
impl Site<'_> {
    /// The sums with something changed.
    pub fn sums(&self, parameters: &str, change: impl FnOnce(&mut Accumulate)) -> Option<Variant> {
        let right = self.accumulate()?;
        let mut wrong = right.clone();
        change(&mut wrong);
        (!same_sums(right, &wrong)).then(|| Variant::named(parameters, Step::Accumulate(wrong)))
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

/// Another requantization; nothing at any other step, and nothing where it changes nothing.
impl Site<'_> {
    /// The requantization with something changed.
    pub fn requantized(
        &self,
        parameters: &str,
        change: impl FnOnce(&mut Requantize),
    ) -> Option<Variant> {
        let mut requantize = self.requantize()?.clone();
        change(&mut requantize);
        Some(Variant::named(parameters, Step::Requantize(requantize)))
    }

    /// With other scales or zero points; nothing where `change` gives none.
    pub fn rescaled(
        &self,
        parameters: &str,
        change: impl Fn(usize, Channel) -> Option<Channel>,
    ) -> Option<Variant> {
        let right = &self.requantize()?.channels;
        let channels: Vec<Channel> = (right.iter().enumerate())
            .map(|(o, &channel)| change(o, channel))
            .collect::<Option<_>>()?;
        if channels == *right {
            return None;
        }
        let arithmetic = self.arithmetic_of(&channels)?;
        self.requantized(parameters, |requantize| {
            (requantize.channels, requantize.arithmetic) = (channels, arithmetic);
        })
    }

    /// The step's own arithmetic for other scales: of SQ8 the multipliers that NNTool would make
    /// of them. Nothing where there are none.
    fn arithmetic_of(&self, channels: &[Channel]) -> Option<Arithmetic> {
        let own = &self.requantize()?.arithmetic;
        let (Arithmetic::Sq8(_, rounding), Some(layer)) = (own, &self.origin()?.sq8) else {
            return Some(own.clone());
        };
        let inputs = layer.codes.item_len();
        let factors: Vec<_> = (channels.iter().zip(&layer.bias_codes))
            .map(|(channel, &bias)| (channel.multiplier(), multiplier_bits(inputs, bias)))
            .collect();
        let scales = multiplicative_bias(&factors).ok()?;
        Some(Arithmetic::Sq8(scales.into(), *rounding))
    }

    /// With every scale written otherwise; 1 stays, and a scale of 0 or none is no form.
    pub fn with_scales(
        &self,
        parameters: &str,
        write: impl Fn(f64) -> Option<f64>,
    ) -> Option<Variant> {
        let write =
            |scale| write(scale).filter(|&written| written > 0.0 && f64::is_finite(written));
        self.rescaled(parameters, |_, channel| {
            Some(Channel {
                input_scale: write(channel.input_scale)?,
                weight_scale: write(channel.weight_scale)?,
                output_scale: write(channel.output_scale)?,
                ..channel
            })
        })
    }

    /// In another arithmetic.
    pub fn computed(&self, parameters: &str, arithmetic: Arithmetic) -> Option<Variant> {
        self.requantized(parameters, |requantize| requantize.arithmetic = arithmetic)
    }

    /// By the arithmetic of a contract, unless it is the model's own or has no numbers here.
    pub fn contract(&self, parameters: &str, name: &str) -> Option<Variant> {
        let contract = contracts::find(name)?;
        let own = contracts::find(&self.model.contract);
        if own.is_some_and(|own| own.class == contract.class) {
            return None;
        }
        let variant = self.computed(parameters, Arithmetic::Contract(contract))?;
        match &variant.step {
            Step::Requantize(requantize) if requantize.check().is_ok() => Some(variant),
            _ => None,
        }
    }

    /// By a function of the quotient in output steps, as the model computes it, and of the zero
    /// point. A contract has no such quotient.
    pub fn quotients(
        &self,
        parameters: &str,
        code: impl Fn(f64, f64) -> f64 + Send + Sync + 'static,
    ) -> Option<Variant> {
        let quotient: fn(&Channel, f64) -> f64 = match self.requantize()?.arithmetic {
            Arithmetic::Division(_) => |channel, acc| f64::from(acc as f32 / divisor(channel)),
            Arithmetic::Product(_) => |channel, acc| acc * multiplier(channel),
            Arithmetic::Sq8(..) | Arithmetic::Contract(_) | Arithmetic::Other(_) => return None,
        };
        let code = move |channel: &Channel, acc| {
            code(quotient(channel, acc), channel.output_zero_point.into())
        };
        self.computed(parameters, Arithmetic::other(code))
    }

    /// With other codes for what is none.
    pub fn overflowing(
        &self,
        parameters: &str,
        code: impl Fn(&Channel, f64) -> f64 + Send + Sync + 'static,
    ) -> Option<Variant> {
        self.requantized(parameters, |requantize| {
            requantize.overflow = Overflow::other(code);
        })
    }
}

/// s_O of the relative convention, in float32.
pub(super) fn divisor(channel: &Channel) -> f32 {
    (channel.output_scale / (channel.input_scale * channel.weight_scale)) as f32
}

/// M of eq. 13 and 22, in float64.
pub(super) fn multiplier(channel: &Channel) -> f64 {
    channel.weight_scale * channel.input_scale / channel.output_scale
}

/// A float32 number of output steps, rounded half to even, and the zero point.
pub(super) fn rounded(channel: &Channel, steps: f32) -> f64 {
    f64::from(steps.round_ties_even()) + f64::from(channel.output_zero_point)
}

/// Any step.
impl Site<'_> {
    /// Of the node's input, first axis 1; of the first node its own.
    pub fn input_shape(&self) -> &[usize] {
        &self.model.nodes[self.node.saturating_sub(1)].shape
    }

    /// The input's codes, made of real values that a function of pixel and channel gives;
    /// nothing where they are the same for every pixel.
    pub fn pixels_as(
        &self,
        parameters: &str,
        real: impl Fn(f32, usize) -> f32 + Send + Sync + 'static,
    ) -> Option<Variant> {
        let Step::Quantize(quantize) = self.step else {
            return None;
        };
        let (mean, std, params) = (quantize.mean, quantize.std, quantize.params);
        let pixels = || (0..=u8::MAX).map(f32::from);
        let channels = 0..quantize.channels.len();
        let same = channels.clone().all(|channel| {
            pixels().all(|pixel| {
                let right = (pixel / 255.0 - mean) / std;
                params.quantize(real(pixel, channel)) == params.quantize(right)
            })
        });
        let function = Function::new(move |pixels| {
            Ok(pixels.map_along(1, |channel, pixel| {
                f64::from(params.quantize(real(pixel as f32, channel)))
            }))
        });
        (!same).then(|| Variant::named(parameters, Step::Other(function)))
    }

    /// The step on another input.
    pub fn fed(
        &self,
        parameters: &str,
        feed: impl Fn(&Values) -> Result<Values, ShapeError> + Send + Sync + 'static,
    ) -> Variant {
        let step = self.step.clone();
        let function = Function::new(move |input| step.run(&feed(input)?));
        Variant::named(parameters, Step::Other(function))
    }

    /// The step, and a function of its input and output after it.
    pub fn followed(
        &self,
        parameters: &str,
        follow: impl Fn(&Values, Values) -> Result<Values, ShapeError> + Send + Sync + 'static,
    ) -> Variant {
        let step = self.step.clone();
        let function = Function::new(move |input| follow(input, step.run(input)?));
        Variant::named(parameters, Step::Other(function))
    }

    /// Another rounding wherever the step rounds: codes of pixels, outputs, means.
    pub fn rounding(&self, parameters: &str, rule: quant::Rounding) -> Option<Variant> {
        let step = match self.step {
            Step::Requantize(requantize) => {
                let arithmetic = requantize.arithmetic.with_rounding(rule)?;
                return self.computed(parameters, arithmetic);
            }
            Step::Quantize(quantize) => {
                let mut quantize = quantize.clone();
                quantize.rounding = rule;
                Step::Quantize(quantize)
            }
            // Means that are cut off are a mistake of their own.
            Step::AveragePool(pool)
                if !matches!(rule, quant::Rounding::Floor | quant::Rounding::TowardZero) =>
            {
                let mut pool = pool.clone();
                pool.rounding = crate::model::MeanRounding::Rule(rule);
                Step::AveragePool(pool)
            }
            _ => return None,
        };
        Some(Variant::named(parameters, step))
    }
}

/// The nearest integer of this many bits, signed.
pub(super) fn saturate(value: f64, bits: u32) -> i64 {
    let end = 2f64.powi(bits as i32 - 1);
    value.clamp(-end, end - 1.0) as i64
}

/// The lowest bits of an integer, signed.
pub(super) fn wrap(value: i64, bits: u32) -> i64 {
    let unused = 64 - bits;
    value << unused >> unused
}

/// What a code is as a byte of the other signedness.
pub(super) fn other_signedness(code: i64) -> i64 {
    match code {
        ..0 => code + 256,
        0..128 => code,
        _ => code - 256,
    }
}

/// Where, in row-major order of `shape`, the value lies that is found at `at` of a buffer whose
/// axes are `axes` of the shape.
pub(super) fn laid_out(shape: &[usize], axes: &[usize], at: usize) -> usize {
    let mut position = vec![0; shape.len()];
    let mut rest = at;
    for &axis in axes.iter().rev() {
        position[axis] = rest % shape[axis];
        rest /= shape[axis];
    }
    (position.iter().zip(shape)).fold(0, |flat, (&i, &size)| flat * size + i)
}

/// Where the value of this place of `shape` is read by whoever takes a buffer of that shape to
/// have the axes `axes`.
pub(super) fn read_as(shape: &[usize], axes: &[usize], at: usize) -> usize {
    let mut position = vec![0; shape.len()];
    let mut rest = at;
    for axis in (0..shape.len()).rev() {
        position[axis] = rest % shape[axis];
        rest /= shape[axis];
    }
    (axes.iter()).fold(0, |flat, &axis| flat * shape[axis] + position[axis])
}

/// The buffer of a tensor whose axes are exchanged so, read in the tensor's own shape.
pub(super) fn relaid(map: &Values, axes: &[usize; 4]) -> Result<Values, ShapeError> {
    let data = (0..map.data().len()).map(|at| map.data()[laid_out(map.shape(), axes, at)]);
    Tensor::new(map.shape(), data.collect())
}

/// The image with its rows or columns in reverse order.
pub(super) fn mirrored(image: &Values, rows: bool, columns: bool) -> Values {
    let (height, width) = (image.shape()[2], image.shape()[3]);
    let mut mirrored = image.clone();
    for (at, value) in mirrored.data_mut().iter_mut().enumerate() {
        let (y, x) = (at / width % height, at % width);
        let from_y = if rows { height - 1 - y } else { y };
        let from_x = if columns { width - 1 - x } else { x };
        *value = image.data()[at - (y * width + x) + from_y * width + from_x];
    }
    mirrored
}

/// An image in the midst of others of this size, filled with a value; rows above and columns
/// before it are `before`.
pub(super) fn padded(
    input: &Values,
    before: [usize; 2],
    whole: [usize; 2],
    value: f64,
) -> Result<Values, ShapeError> {
    let [n, c, h, w] = reference::geometry::rank("input of a window", input.shape())?;
    let mut around = Tensor::full(&[n, c, whole[0], whole[1]], value)?;
    for (at, plane) in input.data().chunks((h * w).max(1)).enumerate() {
        for (y, row) in plane.chunks(w.max(1)).enumerate() {
            let start = (at * whole[0] + y + before[0]) * whole[1] + before[1];
            around.data_mut()[start..start + w].copy_from_slice(row);
        }
    }
    Ok(around)
}

fn same_sums(a: &Accumulate, b: &Accumulate) -> bool {
    a.weight == b.weight
        && a.weight_zero_points == b.weight_zero_points
        && a.bias == b.bias
        && a.input_zero_point == b.input_zero_point
        && a.padding == b.padding
        && a.geometry == b.geometry
}
