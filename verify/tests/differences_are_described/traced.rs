//! Networks whose outputs are changed.

use std::sync::OnceLock;

use verify::diagnosis::{Evidence, Finding, Hypothesis, Segment};
use verify::mistakes::{Site, find};
use verify::model::{GOLDEN, Model, ModelScheme, Step, Values};

use crate::common::load_traced;

/// A model and every output for two images.
pub(crate) struct Traced {
    pub(crate) model: Model,
    pixels: Values,
    pub(crate) trace: Vec<Values>,
}

impl Traced {
    pub(crate) fn new(scheme: ModelScheme, name: &str) -> Self {
        let (fixture, images, _) = load_traced(name);
        let pixels = images.pixels.head(2).map(f64::from);
        let model = Model::new(&fixture, &images, scheme, GOLDEN).unwrap();
        let trace = model.trace(&pixels).unwrap();
        Self {
            model,
            pixels,
            trace,
        }
    }

    pub(crate) fn at(&self, name: &str) -> usize {
        self.model.position(name).unwrap()
    }

    pub(crate) fn input(&self, node: usize) -> &Values {
        node.checked_sub(1)
            .map_or(&self.pixels, |before| &self.trace[before])
    }

    /// From the first to the last of these nodes.
    pub(crate) fn segment<'a>(
        &'a self,
        first: &str,
        last: &str,
        observed: &'a Values,
    ) -> Segment<'a> {
        let nodes = self.at(first)..self.at(last) + 1;
        Segment {
            model: &self.model,
            input: self.input(nodes.start),
            expected: &self.trace[nodes.end - 1],
            nodes,
            observed,
        }
    }

    /// The findings about an output that was changed.
    pub(crate) fn findings(&self, first: &str, last: &str, observed: &Values) -> Vec<Finding> {
        Evidence::new(&self.segment(first, last, observed)).findings
    }

    pub(crate) fn output(&self, name: &str) -> &Values {
        &self.trace[self.at(name)]
    }

    /// The output of the nodes where one mistake is made in one of them.
    pub(crate) fn mistaken(
        &self,
        first: &str,
        last: &str,
        node: &str,
        id: &str,
    ) -> (Values, Hypothesis) {
        let nodes = self.at(first)..self.at(last) + 1;
        let site = Site::new(&self.model, self.at(node));
        let step = (find(id).unwrap().variants)(&site).remove(0).step;
        let hypothesis = hypothesis(vec![(self.at(node), step)]);
        let mut x = self.input(nodes.start).clone();
        for node in nodes {
            x = hypothesis.step(&self.model, node).run(&x).unwrap();
        }
        (x, hypothesis)
    }
}

pub(crate) fn hypothesis(steps: Vec<(usize, Step)>) -> Hypothesis {
    Hypothesis {
        causes: Vec::new(),
        steps,
    }
}

pub(crate) fn lab() -> &'static Traced {
    static TRACED: OnceLock<Traced> = OnceLock::new();
    TRACED.get_or_init(|| Traced::new(ModelScheme::MaxAbs, "lab"))
}

pub(crate) fn padded() -> &'static Traced {
    static TRACED: OnceLock<Traced> = OnceLock::new();
    TRACED.get_or_init(|| Traced::new(ModelScheme::Asymmetric, "lenet5-mnist"))
}
