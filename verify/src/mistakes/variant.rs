//! Where a mistake is made, and what it makes of the step there.

use quant::contracts::Channel;

use crate::model::{
    Accumulate, Accumulator, Arithmetic, LayerOrigin, Model, Requantize, Step, Term,
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
        let weighted = self.model.nodes[self.node].weighted?;
        self.model.origin.layers.get(weighted)
    }

    /// Which weighted layer it is, counted from 0.
    pub fn weighted(&self) -> Option<usize> {
        self.model.nodes[self.node].weighted
    }

    /// The sums with something changed; nothing at any other step.
    pub fn accumulating(&self, change: impl FnOnce(&mut Accumulate)) -> Vec<Variant> {
        (self.accumulate()).map_or(Vec::new(), |accumulate| {
            let mut accumulate = accumulate.clone();
            change(&mut accumulate);
            Variant::only(Step::Accumulate(accumulate))
        })
    }

    /// The sums made by a function of the products and the bias.
    pub fn summing(
        &self,
        parameters: &str,
        sum: impl Fn(&[Term], i64) -> i64 + Send + Sync + 'static,
    ) -> Option<Variant> {
        let mut accumulate = self.accumulate()?.clone();
        accumulate.accumulator = Accumulator::Other(std::sync::Arc::new(sum));
        Some(Variant::named(parameters, Step::Accumulate(accumulate)))
    }

    /// The requantization with something changed; nothing at any other step.
    pub fn requantizing(&self, change: impl FnOnce(&mut Requantize)) -> Vec<Variant> {
        (self.requantize()).map_or(Vec::new(), |requantize| {
            let mut requantize = requantize.clone();
            change(&mut requantize);
            Variant::only(Step::Requantize(requantize))
        })
    }

    /// The requantization with other scales or zero points; nothing where `change` gives none.
    pub fn rescaling(&self, change: impl Fn(usize, Channel) -> Option<Channel>) -> Vec<Variant> {
        let Some(requantize) = self.requantize() else {
            return Vec::new();
        };
        let channels: Option<Vec<Channel>> = (requantize.channels.iter().enumerate())
            .map(|(o, &channel)| change(o, channel))
            .collect();
        channels.map_or(Vec::new(), |channels| {
            self.requantizing(|requantize| requantize.channels = channels)
        })
    }

    /// The requantization in another arithmetic.
    pub fn computing(&self, arithmetic: Option<Arithmetic>) -> Vec<Variant> {
        arithmetic.map_or(Vec::new(), |arithmetic| {
            self.requantizing(|requantize| requantize.arithmetic = arithmetic)
        })
    }
}
