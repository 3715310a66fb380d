//! Where a mistake is made, and what it makes of the step there.

mod any_step;
mod integers;
mod layout;
mod requantization;
mod sums;

pub(super) use integers::{other_signedness, saturate, wrap};
pub(super) use layout::{laid_out, mirrored, padded, part, read_as, relaid};
pub(super) use requantization::rounded;

use quant::observers::Range;
use quant::scheme::Grid;

use super::parts::Parts;
use crate::model::{Accumulate, LayerOrigin, Model, ModelScheme, Observed, Requantize, Step};

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
