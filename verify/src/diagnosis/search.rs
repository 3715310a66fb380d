//! Which hypotheses reproduce a tensor: all on one image that differs, those left on all.

use rayon::prelude::*;
use reference::{ShapeError, Tensor};

use super::hypothesis::{Change, changes, changes_at};
use super::{Hypothesis, Segment, differing};
use crate::mistakes::Site;
use crate::model::{Step, Values};

/// Every single cause that reproduces the observed values.
///
/// # Errors
/// A segment whose input is not of its model's shape.
pub(super) fn singles(segment: &Segment) -> Result<Vec<Hypothesis>, ShapeError> {
    let Some(sample) = Sample::new(segment)? else {
        return Ok(Vec::new());
    };
    let found: Vec<Hypothesis> = (changes(segment.model, segment.nodes.clone()).par_iter())
        .filter(|change| sample.fits_with(change, sample.input_of(change.node)))
        .map(|change| hypothesis(&[change]))
        .collect();
    Ok(on_all_images(segment, found))
}

/// Every pair that does: in two steps of it, or both in one requantization. (Two in one sum are
/// not tried: each is a whole convolution, and there are too many.)
///
/// # Errors
/// A segment whose input is not of its model's shape.
pub(super) fn pairs(segment: &Segment) -> Result<Vec<Hypothesis>, ShapeError> {
    let Some(sample) = Sample::new(segment)? else {
        return Ok(Vec::new());
    };
    let singles = changes(segment.model, segment.nodes.clone());
    Ok(on_all_images(
        segment,
        pairs_that_fit(segment, &sample, &singles),
    ))
}

fn pairs_that_fit(segment: &Segment, sample: &Sample, singles: &[Change]) -> Vec<Hypothesis> {
    (singles.par_iter())
        .flat_map_iter(|first| {
            let mut found = Vec::new();
            let Some(outputs) = sample.outputs_after(first) else {
                return found;
            };
            let later = (singles.iter()).filter(|second| second.node > first.node);
            for second in later {
                let input = &outputs[second.node - first.node - 1];
                if sample.fits_with(second, input) {
                    found.push(hypothesis(&[first, second]));
                }
            }
            let site = Site {
                model: segment.model,
                node: first.node,
                step: &first.step,
            };
            if site.requantize().is_none() {
                return found;
            }
            for both in changes_at(&site) {
                // A mistake made twice in one step is none but itself.
                if both.cause.id == first.cause.id {
                    continue;
                }
                if sample.fits_with(&both, sample.input_of(first.node)) {
                    let mut found_here = hypothesis(&[&both]);
                    found_here.causes.insert(0, first.cause.clone());
                    found.push(found_here);
                }
            }
            found
        })
        .collect()
}

fn hypothesis(changes: &[&Change]) -> Hypothesis {
    Hypothesis {
        causes: changes.iter().map(|change| change.cause.clone()).collect(),
        steps: (changes.iter())
            .map(|change| (change.node, change.step.clone()))
            .collect(),
    }
}

/// Those that reproduce every image.
fn on_all_images(segment: &Segment, hypotheses: Vec<Hypothesis>) -> Vec<Hypothesis> {
    (hypotheses.into_iter())
        .filter(|hypothesis| {
            segment
                .replay(hypothesis)
                .is_ok_and(|output| differing(segment.observed, &output) == 0)
        })
        .collect()
}

impl Segment<'_> {
    /// What the model makes of the input under a hypothesis.
    ///
    /// # Errors
    /// Shapes that do not fit under it.
    pub fn replay(&self, hypothesis: &Hypothesis) -> Result<Values, ShapeError> {
        self.replay_on(hypothesis, self.input)
    }

    /// The same of another input.
    ///
    /// # Errors
    /// Shapes that do not fit under it.
    pub fn replay_on(&self, hypothesis: &Hypothesis, input: &Values) -> Result<Values, ShapeError> {
        let mut x = input.clone();
        for node in self.nodes.clone() {
            x = hypothesis.step(self.model, node).run(&x)?;
        }
        Ok(x)
    }
}

/// One image on which the backend differs.
struct Sample<'a> {
    segment: &'a Segment<'a>,
    observed: &'a [f64],
    input: Values,
    /// The right output of every node of the segment.
    golden: Vec<Values>,
}

impl<'a> Sample<'a> {
    /// None where the backend differs on no image, or in its shape.
    fn new(segment: &'a Segment<'a>) -> Result<Option<Self>, ShapeError> {
        let (expected, observed) = (segment.expected, segment.observed);
        if expected.shape() != observed.shape() {
            return Ok(None);
        }
        let images = expected.shape().first().copied().unwrap_or(0);
        let differs = |&image: &usize| expected.item(image) != observed.item(image);
        let Some(image) = (0..images).find(differs) else {
            return Ok(None);
        };
        let mut shape = segment.input.shape().to_vec();
        shape[0] = 1;
        let input = Tensor::new(&shape, segment.input.item(image).to_vec())?;
        let mut golden: Vec<Values> = Vec::new();
        for step in segment.model.steps(segment.nodes.clone()) {
            golden.push(step.run(golden.last().unwrap_or(&input))?);
        }
        Ok(Some(Self {
            segment,
            observed: observed.item(image),
            input,
            golden,
        }))
    }

    fn fits(&self, output: &Option<Values>) -> bool {
        output
            .as_ref()
            .is_some_and(|output| output.data() == self.observed)
    }

    /// Whether the segment ends in the observed values where `change` takes `input`. Of a last
    /// requantization a few of the values are tried first: most are not those.
    fn fits_with(&self, change: &Change, input: &Values) -> bool {
        let last = change.node + 1 == self.segment.nodes.end;
        if let (true, Step::Requantize(requantize)) = (last, &change.step) {
            let wrong = |(channel, acc, code): &(usize, f64, f64)| {
                requantize.axis == 1 && requantize.one(*channel, *acc).1 != *code
            };
            if few(input, self.observed).iter().any(wrong) {
                return false;
            }
        }
        self.fits(&self.finish(change, input))
    }

    /// What the right model gives to a node.
    fn input_of(&self, node: usize) -> &Values {
        match node - self.segment.nodes.start {
            0 => &self.input,
            at => &self.golden[at - 1],
        }
    }

    /// The segment's output where `change` takes `input`.
    fn finish(&self, change: &Change, input: &Values) -> Option<Values> {
        let mut x = change.step.run(input).ok()?;
        for step in self
            .segment
            .model
            .steps(change.node + 1..self.segment.nodes.end)
        {
            x = step.run(&x).ok()?;
        }
        Some(x)
    }

    /// The output of this node and all after it, where it is changed.
    fn outputs_after(&self, change: &Change) -> Option<Vec<Values>> {
        let mut outputs = vec![change.step.run(self.input_of(change.node)).ok()?];
        for step in self
            .segment
            .model
            .steps(change.node + 1..self.segment.nodes.end)
        {
            outputs.push(step.run(outputs.last()?).ok()?);
        }
        Some(outputs)
    }
}

/// How many values are tried first.
const FEW: usize = 16;

/// Some accumulators of one image, spread over it: channel, accumulator, the code observed.
fn few(accumulators: &Values, observed: &[f64]) -> Vec<(usize, f64, f64)> {
    let count = accumulators.data().len();
    let plane: usize = accumulators.shape().iter().skip(2).product();
    if count != observed.len() {
        return Vec::new();
    }
    (0..count)
        .step_by(count.div_ceil(FEW).max(1))
        .map(|at| (at / plane.max(1), accumulators.data()[at], observed[at]))
        .collect()
}
