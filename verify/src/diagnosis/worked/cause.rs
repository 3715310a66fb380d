//! The part of a segment that is worked: from one sum of products to before the next.

use reference::ShapeError;

use crate::diagnosis::{Hypothesis, Segment};
use crate::model::{Model, Step, Values};

/// Steps with their right and their other form, on one image.
pub(super) struct Stretch {
    /// The first node.
    first: usize,
    pub(super) names: Vec<String>,
    pub(super) golden: Vec<Step>,
    pub(super) theirs: Vec<Step>,
    /// One image.
    pub(super) input: Values,
    /// What the input holds where it holds nothing: the code of 0, or 0.
    pub(super) neutral: f64,
}

fn run(steps: &[&Step], input: &Values) -> Result<Vec<Values>, ShapeError> {
    let mut traces: Vec<Values> = Vec::with_capacity(steps.len());
    for step in steps {
        traces.push(step.run(traces.last().unwrap_or(input))?);
    }
    Ok(traces)
}

/// Where two outputs of one shape differ first.
fn difference(right: &Values, wrong: &Values) -> Option<usize> {
    (right.shape() == wrong.shape())
        .then(|| (right.data().iter().zip(wrong.data())).position(|(a, b)| a != b))
        .flatten()
}

impl Stretch {
    fn new(
        model: &Model,
        nodes: std::ops::Range<usize>,
        hypothesis: Option<&Hypothesis>,
        input: Values,
    ) -> Self {
        let golden: Vec<Step> = model.steps(nodes.clone()).cloned().collect();
        let theirs = match hypothesis {
            Some(hypothesis) => (nodes.clone())
                .map(|node| hypothesis.step(model, node).clone())
                .collect(),
            None => golden.clone(),
        };
        let before = nodes.start.checked_sub(1);
        Self {
            first: nodes.start,
            names: nodes.map(|node| model.nodes[node].name.clone()).collect(),
            golden,
            theirs,
            input,
            neutral: before
                .and_then(|node| model.nodes[node].params)
                .map_or(0.0, |params| params.zero_point.into()),
        }
    }

    /// Around the first node whose output a hypothesis changes, and the flat position of an
    /// output that differs; none where it changes nothing, or the shape.
    pub(super) fn of_cause(
        segment: &Segment,
        hypothesis: &Hypothesis,
        image: Values,
    ) -> Result<Option<(Self, usize)>, ShapeError> {
        let (model, nodes) = (segment.model, segment.nodes.clone());
        let golden: Vec<&Step> = model.steps(nodes.clone()).collect();
        let theirs: Vec<&Step> = nodes
            .clone()
            .map(|node| hypothesis.step(model, node))
            .collect();
        let [right, wrong] = [run(&golden, &image)?, run(&theirs, &image)?];
        let Some(cause) = (0..golden.len()).find(|&at| right[at] != wrong[at]) else {
            return Ok(None);
        };
        let is_sum = |at: usize| matches!(golden[at], Step::Accumulate(_));
        // A requantization is worked with the sum before it.
        let is_code = matches!(golden[cause], Step::Requantize(_));
        let start = if is_code && cause > 0 && is_sum(cause - 1) {
            cause - 1
        } else {
            cause
        };
        let input = if start == 0 {
            image
        } else {
            right[start - 1].clone()
        };
        // On until the difference is lost or the next sum begins.
        let mut end = cause + 1;
        while end < golden.len() && !is_sum(end) && difference(&right[end], &wrong[end]).is_some() {
            end += 1;
        }
        let Some(at) = difference(&right[end - 1], &wrong[end - 1]) else {
            return Ok(None);
        };
        let first = segment.nodes.start;
        let stretch = Self::new(model, first + start..first + end, Some(hypothesis), input);
        Ok(Some((stretch, at)))
    }

    /// From the segment's last sum to its end.
    pub(super) fn of_end(segment: &Segment, image: Values) -> Result<Self, ShapeError> {
        let model = segment.model;
        let is_sum = |node: &usize| matches!(model.nodes[*node].step, Step::Accumulate(_));
        let start = segment
            .nodes
            .clone()
            .rev()
            .find(is_sum)
            .unwrap_or(segment.nodes.start);
        let mut input = image;
        for step in model.steps(segment.nodes.start..start) {
            input = step.run(&input)?;
        }
        Ok(Self::new(model, start..segment.nodes.end, None, input))
    }

    /// The last outputs, right and wrong.
    pub(super) fn outputs(&self) -> Result<[Values; 2], ShapeError> {
        let last = |steps: &[Step]| {
            let mut x = self.input.clone();
            for step in steps {
                x = step.run(&x)?;
            }
            Ok(x)
        };
        Ok([last(&self.golden)?, last(&self.theirs)?])
    }

    /// Every output of one side.
    pub(super) fn traces(&self, steps: &[&Step]) -> Result<Vec<Values>, ShapeError> {
        run(steps, &self.input)
    }

    /// How many values of the input are not neutral.
    pub(super) fn nonzero(&self) -> usize {
        self.input
            .data()
            .iter()
            .filter(|&&x| x != self.neutral)
            .count()
    }

    /// The node whose output is worked.
    pub(super) fn name<'a>(&self, segment: &Segment<'a>) -> &'a str {
        &segment.model.nodes[self.first + self.names.len() - 1].name
    }

    /// What the values of the input are.
    pub(super) fn what(&self, segment: &Segment) -> &'static str {
        match self
            .first
            .checked_sub(1)
            .map(|node| &segment.model.nodes[node])
        {
            None => "pixels",
            Some(node) if node.is_accumulators() => "accumulators",
            Some(_) => "input codes",
        }
    }
}
