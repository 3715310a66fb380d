//! What can be said of a difference when no name is found, and beside a name.
//!
//! Every finding is a fact about all differing values, never a guess; what cannot be decided
//! is left out.

mod finding;
mod padding;
mod pairs;

pub use finding::{Arrangement, Finding};

use std::fmt;

use serde::Serialize;

use super::{Segment, differing};
use crate::model::{Node, Step};
use pairs::Pairs;

/// What two tensors differ in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// How many values there are: of the right tensor.
    pub values: usize,
    /// How many of them differ; all, if the shapes do.
    pub differing: usize,
    /// Largest |observed − expected| of those that are numbers; none where no two can be
    /// compared.
    pub largest: Option<f64>,
    /// In the order of [`Finding`].
    pub findings: Vec<Finding>,
}

impl Evidence {
    /// Compares what a segment gave with what is right.
    pub fn new(segment: &Segment) -> Self {
        let (expected, observed) = (segment.expected, segment.observed);
        let mut evidence = Self {
            values: expected.data().len(),
            differing: differing(expected, observed),
            largest: None,
            findings: Vec::new(),
        };
        let same_shape = expected.shape() == observed.shape();
        if evidence.differing == 0 {
            return evidence;
        }
        if !same_shape {
            evidence.findings.push(Finding::Shapes {
                expected: expected.shape().to_vec(),
                observed: observed.shape().to_vec(),
            });
        }
        evidence.findings.extend(of_values(segment));
        if same_shape {
            let pairs = Pairs::new(segment);
            evidence.largest = pairs.largest();
            evidence.findings.extend(pairs.findings());
        }
        evidence
    }

    /// One sentence each, for a person.
    pub fn lines(&self) -> Vec<String> {
        let share = self.differing as f64 / self.values.max(1) as f64 * 100.0;
        let mut first = match self.differing {
            0 => format!("none of {} values differs", self.values),
            differing => format!(
                "{differing} of {} values differ ({share:.2} %)",
                self.values
            ),
        };
        if let Some(largest) = self.largest {
            first += &format!(", by at most {largest}");
        }
        let findings = self.findings.iter().map(ToString::to_string);
        std::iter::once(first).chain(findings).collect()
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().join("\n"))
    }
}

/// What the observed values are, whatever their shape.
fn of_values(segment: &Segment) -> Vec<Finding> {
    let observed = segment.observed.data();
    let count = |is: &dyn Fn(f64) -> bool| observed.iter().filter(|&&x| is(x)).count();
    let mut findings = Vec::new();
    match count(&|x| !x.is_finite()) {
        0 => {}
        count => findings.push(Finding::NotNumbers { count }),
    }
    match count(&|x| x.is_finite() && x.fract() != 0.0) {
        0 => {}
        count => findings.push(Finding::NotIntegers { count }),
    }
    if let Some(params) = segment.last().and_then(|node| node.params) {
        let (low, high) = (params.grid.low(), params.grid.high());
        let outside = |x: f64| x.is_finite() && (x < low.into() || x > high.into());
        match count(&outside) {
            0 => {}
            count => findings.push(Finding::OutsideCodes { count, low, high }),
        }
    }
    findings
}

impl Segment<'_> {
    fn last(&self) -> Option<&Node> {
        self.nodes
            .clone()
            .next_back()
            .map(|at| &self.model.nodes[at])
    }

    /// The lowest and the highest value of the output there is, after the ReLUs since the last
    /// weighted layer; of accumulators none.
    fn edges(&self) -> Option<[f64; 2]> {
        let grid = self.last()?.params?.grid;
        let mut low = f64::from(grid.low());
        for node in self.model.nodes[..self.nodes.end].iter().rev() {
            match &node.step {
                Step::Relu { low: zero } => low = low.max(*zero),
                Step::Requantize(_) | Step::Quantize(_) => break,
                _ => {}
            }
        }
        Some([low, grid.high().into()])
    }
}
