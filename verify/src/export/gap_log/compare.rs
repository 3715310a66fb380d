//! A log held against the tensors that a model computes: which node differs first, and where.

use std::fmt;

use super::LogTensor;
use crate::export::nntool::names::same_node;

/// What became of every tensor that was expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// In the order of the model, those that the log holds.
    pub nodes: Vec<NodeComparison>,
    /// Names that the log does not hold.
    pub missing: Vec<String>,
    /// Outputs of the log that the model does not know.
    pub unknown: Vec<String>,
}

/// A node of both.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeComparison {
    /// As the model calls it.
    pub node: String,
    /// What there is to say.
    pub outcome: LogOutcome,
}

/// What there is to say of a node's values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogOutcome {
    /// All the same.
    Equal {
        /// How many.
        values: usize,
    },
    /// Another shape.
    Shape {
        /// The model's.
        expected: Vec<usize>,
        /// The log's.
        got: Vec<usize>,
    },
    /// Some differ.
    Differs {
        /// How many.
        count: usize,
        /// Of how many.
        of: usize,
        /// The first, by its indices.
        first: Vec<usize>,
        /// The model's value there.
        expected: i32,
        /// The log's.
        got: i32,
        /// The greatest difference.
        largest: u32,
    },
}

impl fmt::Display for LogOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equal { values } => write!(f, "{values} values, all equal"),
            Self::Shape { expected, got } => {
                write!(f, "has shape {got:?}, expected {expected:?}")
            }
            Self::Differs {
                count,
                of,
                first,
                expected,
                got,
                largest,
            } => write!(
                f,
                "{count} of {of} values differ, by at most {largest}; the first at {first:?}: \
                 {got}, expected {expected}"
            ),
        }
    }
}

impl Comparison {
    /// Of every output in the log with the tensor of its name. The graph's name may stand before
    /// a node's; where the steps are counted otherwise (an image formatter takes one), the rest
    /// of the name decides. Of a node that is there more than once, each is compared.
    pub fn new(expected: &[LogTensor], log: &[LogTensor]) -> Self {
        let outputs: Vec<&LogTensor> = log.iter().filter(|t| t.argument == OUT).collect();
        let matches = |expected: &LogTensor| -> Vec<&LogTensor> {
            let Some(first) = same_node(&expected.node, &outputs, |tensor| &tensor.node) else {
                return Vec::new();
            };
            (outputs
                .iter()
                .filter(|tensor| tensor.node == first.node)
                .copied())
            .collect()
        };
        let (mut nodes, mut missing, mut known) = (Vec::new(), Vec::new(), Vec::new());
        for tensor in expected {
            let found = matches(tensor);
            if found.is_empty() {
                missing.push(tensor.node.clone());
            }
            for got in found {
                known.push(&got.node);
                nodes.push(NodeComparison {
                    node: tensor.node.clone(),
                    outcome: outcome(tensor, got),
                });
            }
        }
        let unknown = (outputs.iter().map(|tensor| &tensor.node))
            .filter(|node| !known.contains(node))
            .cloned()
            .collect();
        Self {
            nodes,
            missing,
            unknown,
        }
    }

    /// The first node that differs.
    pub fn first_difference(&self) -> Option<&NodeComparison> {
        let differs = |node: &&NodeComparison| !matches!(node.outcome, LogOutcome::Equal { .. });
        self.nodes.iter().find(differs)
    }
}

/// The argument that is a node's output.
pub(super) const OUT: &str = "Out";

fn outcome(expected: &LogTensor, got: &LogTensor) -> LogOutcome {
    // Extents of 1 before the others are the header's form.
    let plain = |shape: &[usize]| -> Vec<usize> {
        shape
            .iter()
            .copied()
            .skip_while(|&extent| extent == 1)
            .collect()
    };
    if plain(&expected.shape) != plain(&got.shape) {
        return LogOutcome::Shape {
            expected: expected.shape.clone(),
            got: got.shape.clone(),
        };
    }
    let pairs = || expected.values.iter().zip(&got.values);
    let mut differing = pairs().enumerate().filter(|(_, (a, b))| a != b);
    match differing.next() {
        None => LogOutcome::Equal {
            values: expected.values.len(),
        },
        Some((at, (&expected_value, &got_value))) => LogOutcome::Differs {
            count: 1 + differing.count(),
            of: expected.values.len(),
            first: position(&expected.shape, at),
            expected: expected_value,
            got: got_value,
            largest: pairs().map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0),
        },
    }
}

/// The indices of a place in row-major order.
fn position(shape: &[usize], at: usize) -> Vec<usize> {
    let mut rest = at;
    let mut indices: Vec<usize> = (shape.iter().rev())
        .map(|&extent| {
            let index = rest % extent;
            rest /= extent;
            index
        })
        .collect();
    indices.reverse();
    indices
}
