//! Parameters made anew from the float network, by a rule that is wrong somewhere: for
//! mistakes that spread, since a scale goes into those of the later layers.

use quant::Scale;
use quant::observers::Range;
use quant::scheme::{Grid, QuantParams, Symmetry, TensorScheme};

use super::parts::Parts;
use super::variant::{Form, OfObserved};
use super::{Site, Variant};
use crate::model::{Observed, Step};

/// How scales and zero points come of what was observed.
#[derive(Clone, Copy)]
pub struct Recipe {
    /// The range of a tensor; the right one is the observed.
    pub range: Option<fn(&Observed) -> Range>,
    /// What a symmetric range is divided by.
    pub one_side: f32,
    /// What an asymmetric range is divided by.
    pub steps: f32,
    /// How the zero point is rounded.
    pub zero_point: fn(f64) -> f64,
    /// c_i in s_O = range / c_i / 127, of the relative convention.
    pub composed: fn(&Parts) -> f64,
}

impl Recipe {
    /// The right one for eight bits.
    pub const RIGHT: Self = Self {
        range: None,
        one_side: 127.0,
        steps: 255.0,
        zero_point: f64::round_ties_even,
        composed: Parts::all,
    };

    fn params(&self, range: Range, scheme: &TensorScheme) -> Option<QuantParams> {
        let (low, high) = (range.low.min(0.0), range.high.max(0.0));
        let grid = scheme.grid;
        let (scale, zero_point) = match scheme.symmetry {
            _ if low == high => (1.0, 0),
            Symmetry::Symmetric => (high.max(-low) / self.one_side, 0),
            Symmetry::Asymmetric => {
                let scale = (high - low) / self.steps;
                let below = (self.zero_point)(f64::from(low / scale));
                (scale, grid.clamp(f64::from(grid.low()) - below))
            }
        };
        Some(QuantParams {
            scale: Scale::new(f64::from(scale)).ok()?,
            zero_point,
            grid,
        })
    }
}

/// From `mean − half` to `mean + half`.
pub(super) fn around(mean: f64, half: f64) -> Range {
    Range {
        low: (mean - half) as f32,
        high: (mean + half) as f32,
    }
}

/// Which weighted layers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Layers {
    /// None.
    None,
    /// One.
    Only(usize),
    /// Every.
    All,
}

impl Layers {
    fn contain(self, layer: usize) -> bool {
        self == Self::All || self == Self::Only(layer)
    }
}

/// What a recipe is used for; everything else is made rightly.
#[derive(Clone, Copy)]
pub struct Targets {
    /// The input.
    pub input: bool,
    /// Weights.
    pub weights: Layers,
    /// Outputs.
    pub outputs: Layers,
}

/// The parameters of a network.
struct Parameters {
    input: QuantParams,
    layers: Vec<Layer>,
}

struct Layer {
    weights: Vec<QuantParams>,
    /// Its scale is the divisor s_O in the relative convention.
    output: QuantParams,
}

impl Parameters {
    fn parts(&self, layer: usize, o: usize, relative: bool) -> Parts {
        let wide = |params: &QuantParams| params.scale.wide();
        let before = &self.layers[..layer];
        Parts {
            own: wide(per_channel(&self.layers[layer].weights, o)),
            input: match before.last() {
                Some(last) if !relative => wide(&last.output),
                _ => wide(&self.input),
            },
            history: match relative {
                true => (before.iter())
                    .map(|layer| (wide(&layer.weights[0]), wide(&layer.output)))
                    .collect(),
                false => Vec::new(),
            },
        }
    }

    /// All that goes into a layer's codes.
    fn of(
        &self,
        layer: usize,
        relative: bool,
    ) -> (&QuantParams, &[QuantParams], QuantParams, Parts) {
        let own = &self.layers[layer];
        let parts = self.parts(layer, 0, relative);
        (self.input_of(layer), &own.weights, own.output, parts)
    }

    /// Of the codes that go into this layer.
    fn input_of(&self, layer: usize) -> &QuantParams {
        match layer {
            0 => &self.input,
            _ => &self.layers[layer - 1].output,
        }
    }
}

fn per_channel<T>(values: &[T], o: usize) -> &T {
    &values[if values.len() == 1 { 0 } else { o }]
}

impl Site<'_> {
    /// A wrong range or scale of outputs: in this layer, in every layer, in the one before.
    pub fn outputs_by(&self, parameters: &str, recipe: &Recipe) -> Vec<Variant> {
        let layer = self.layer_before();
        let outputs = |outputs| Targets {
            input: false,
            weights: Layers::None,
            outputs,
        };
        let mut targets = vec![
            ("", outputs(Layers::Only(layer))),
            ("in every layer", outputs(Layers::All)),
        ];
        if layer > 0 {
            targets.push(("in the layer before", outputs(Layers::Only(layer - 1))));
        }
        self.made_by(parameters, recipe, &targets)
    }

    /// Wrong ranges of outputs and of weights.
    pub fn by_ranges(&self, forms: &[Form<OfObserved>]) -> Vec<Variant> {
        let mut found = Vec::new();
        for &(form, range) in forms {
            let recipe = Recipe {
                range: Some(range),
                ..Recipe::RIGHT
            };
            let separator = if form.is_empty() { "" } else { ", " };
            found.extend(self.outputs_by(&format!("outputs{separator}{form}"), &recipe));
            found.extend(self.weights_by(&format!("weights{separator}{form}"), &recipe));
        }
        found
    }

    /// A wrong symmetric range of outputs and of weights; nothing of those with zero points.
    pub fn by_symmetric_ranges(&self, recipe: &Recipe) -> Vec<Variant> {
        let symmetric = |scheme: fn(quant::scheme::Scheme) -> TensorScheme| {
            (self.model.origin.affine).is_none_or(|all| scheme(all).symmetry == Symmetry::Symmetric)
        };
        let mut found = Vec::new();
        if symmetric(|scheme| scheme.activations) {
            found.extend(self.outputs_by("outputs", recipe));
        }
        if symmetric(|scheme| scheme.weights) {
            found.extend(self.weights_by("weights", recipe));
        }
        found
    }

    /// A wrong range or scale of weights: in this layer, in every layer.
    pub fn weights_by(&self, parameters: &str, recipe: &Recipe) -> Vec<Variant> {
        let weights = |weights| Targets {
            input: false,
            weights,
            outputs: Layers::None,
        };
        let targets = [
            ("", weights(Layers::Only(self.layer_before()))),
            ("in every layer", weights(Layers::All)),
        ];
        self.made_by(parameters, recipe, &targets)
    }

    /// The steps that a recipe makes, without those that are right or were there.
    pub fn made_by(
        &self,
        parameters: &str,
        recipe: &Recipe,
        targets: &[(&str, Targets)],
    ) -> Vec<Variant> {
        let mut found: Vec<Variant> = Vec::new();
        for (which, targets) in targets {
            let Some(step) = self.made(recipe, *targets) else {
                continue;
            };
            if found.iter().any(|other| same(&other.step, &step)) {
                continue;
            }
            let separator = match parameters.is_empty() || which.is_empty() {
                true => "",
                false => ", ",
            };
            found.push(Variant::named(
                format!("{parameters}{separator}{which}"),
                step,
            ));
        }
        found
    }

    /// The weighted layer that this node belongs to or follows.
    fn layer_before(&self) -> usize {
        let nodes = &self.model.nodes[..=self.node];
        (nodes.iter().rev())
            .find_map(|node| node.weighted)
            .unwrap_or(0)
    }

    fn made(&self, recipe: &Recipe, targets: Targets) -> Option<Step> {
        let has_parameters = matches!(
            self.step,
            Step::Quantize(_)
                | Step::Accumulate(_)
                | Step::Requantize(_)
                | Step::Relu { .. }
                | Step::AveragePool(_)
        );
        // NNTool's parameters follow rules of their own, and its biases hold the zero points.
        if !has_parameters || self.model.scheme.sq8().is_some() {
            return None;
        }
        let parameters = self.parameters(recipe, targets)?;
        let mut step = self.step.clone();
        let right = &self.model.nodes[self.node].step;
        let layer = self.layer_before();
        // A model may have been given other parameters than its float network's.
        let rightly = self.parameters(&Recipe::RIGHT, targets)?;
        if parameters.of(layer, self.is_relative()) == rightly.of(layer, self.is_relative()) {
            return None;
        }
        match (&mut step, right) {
            (Step::Quantize(quantize), Step::Quantize(_)) => {
                quantize.params = parameters.input;
            }
            (Step::Accumulate(sums), Step::Accumulate(right)) => {
                self.make_sums(&parameters, layer, sums, right)?;
            }
            (Step::Requantize(requantize), Step::Requantize(_)) => {
                for (o, channel) in requantize.channels.iter_mut().enumerate() {
                    let made = &parameters.layers[layer];
                    channel.output_scale = made.output.scale.wide();
                    channel.output_zero_point = made.output.zero_point;
                    if !self.is_relative() {
                        channel.weight_scale = per_channel(&made.weights, o).scale.wide();
                        channel.input_scale = parameters.input_of(layer).scale.wide();
                    }
                }
            }
            (Step::Relu { low }, _) => {
                *low = f64::from(self.codes_before(&parameters).zero_point);
            }
            (Step::AveragePool(pool), _) => {
                pool.zero_point = f64::from(self.codes_before(&parameters).zero_point);
            }
            _ => return None,
        }
        (!same(&step, self.step)).then_some(step)
    }

    /// Of the codes that come out of the last weighted layer up to here.
    fn codes_before<'a>(&self, parameters: &'a Parameters) -> &'a QuantParams {
        let nodes = &self.model.nodes[..=self.node];
        match nodes.iter().rev().find_map(|node| node.weighted) {
            Some(layer) => &parameters.layers[layer].output,
            None => &parameters.input,
        }
    }

    /// Changes what is not as the right parameters make it; anything else stays as it is.
    fn make_sums(
        &self,
        parameters: &Parameters,
        layer: usize,
        sums: &mut crate::model::Accumulate,
        right: &crate::model::Accumulate,
    ) -> Option<()> {
        let (made, float) = (
            &parameters.layers[layer],
            &self.model.origin.layers[layer].float,
        );
        if made.weights != self.right_weights(layer)? {
            sums.weight =
                (float.weight).map_along(0, |o, w| per_channel(&made.weights, o).quantize(w));
            sums.weight_zero_points = (0..right.outputs())
                .map(|o| per_channel(&made.weights, o).zero_point)
                .collect();
        }
        if let Some(bias) = &float.bias {
            let codes = bias.iter().enumerate().map(|(o, &bias)| {
                let step = parameters.parts(layer, o, self.is_relative()).all();
                (f64::from(bias) / step).round_ties_even() as i64
            });
            let codes: Vec<i64> = codes.collect();
            if codes != right.bias {
                sums.bias = codes;
            }
        }
        let z = parameters.input_of(layer).zero_point;
        if z != right.input_zero_point {
            (sums.input_zero_point, sums.padding) = (z, z);
        }
        Some(())
    }

    fn right_weights(&self, layer: usize) -> Option<Vec<QuantParams>> {
        let zero_points = (self.model.nodes.iter()).find_map(|node| match &node.step {
            Step::Accumulate(sums) if node.weighted == Some(layer) => {
                Some(&sums.weight_zero_points)
            }
            _ => None,
        })?;
        let scales = &self.model.origin.layers[layer].weight_scales;
        let grid = self.weight_grid();
        Some(
            (scales.iter().zip(zero_points))
                .map(|(&scale, &zero_point)| QuantParams {
                    scale,
                    zero_point,
                    grid,
                })
                .collect(),
        )
    }

    fn parameters(&self, recipe: &Recipe, targets: Targets) -> Option<Parameters> {
        let origin = &self.model.origin;
        let symmetric = |grid: Grid| TensorScheme {
            grid,
            symmetry: Symmetry::Symmetric,
            granularity: quant::scheme::Granularity::PerTensor,
            observer: quant::observers::Observer::MinMax,
        };
        let of = |scheme: Option<TensorScheme>, grid| scheme.unwrap_or_else(|| symmetric(grid));
        let activations = of(
            origin.affine.map(|scheme| scheme.activations),
            self.activation_grid(),
        );
        let weights_scheme = of(
            origin.affine.map(|scheme| scheme.weights),
            self.weight_grid(),
        );
        let right = &Recipe::RIGHT;
        let mut parameters = Parameters {
            input: match targets.input {
                true => recipe.params(origin.input_range, &activations)?,
                false => right.params(origin.input_range, &activations)?,
            },
            layers: Vec::new(),
        };
        for (at, layer) in origin.layers.iter().enumerate() {
            let weights = match targets.weights.contain(at) {
                true => {
                    let of = |seen: &Observed| {
                        let range = recipe.range.map_or(seen.range, |range| range(seen));
                        recipe.params(range, &weights_scheme)
                    };
                    let seen = &origin.observed_weights()[at];
                    seen.iter().map(of).collect::<Option<_>>()?
                }
                false => self.right_weights(at)?,
            };
            parameters.layers.push(Layer {
                weights,
                output: layer.params,
            });
            let (range, recipe) = match targets.outputs.contain(at) {
                true => match recipe.range {
                    Some(range) => (range(&origin.observed().ok()?[at]), recipe),
                    None => (layer.range, recipe),
                },
                false => (layer.range, right),
            };
            parameters.layers[at].output = match self.is_relative() {
                true => {
                    let c = (recipe.composed)(&parameters.parts(at, 0, true));
                    let most = f64::from(range.high.max(-range.low));
                    QuantParams {
                        scale: Scale::new(most / c / f64::from(recipe.one_side)).ok()?,
                        ..layer.params
                    }
                }
                false => recipe.params(range, &activations)?,
            };
        }
        Some(parameters)
    }
}

/// Whether two steps have the same parameters.
fn same(a: &Step, b: &Step) -> bool {
    match (a, b) {
        (Step::Quantize(a), Step::Quantize(b)) => a.params == b.params,
        (Step::Accumulate(a), Step::Accumulate(b)) => {
            (a.weight == b.weight && a.weight_zero_points == b.weight_zero_points)
                && (a.bias == b.bias && a.input_zero_point == b.input_zero_point)
        }
        (Step::Requantize(a), Step::Requantize(b)) => a.channels == b.channels,
        (Step::Relu { low: a }, Step::Relu { low: b }) => a == b,
        (Step::AveragePool(a), Step::AveragePool(b)) => a.zero_point == b.zero_point,
        _ => false,
    }
}
