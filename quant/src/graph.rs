//! A network as the graph that NNTool works on: nodes with names and inputs, in any order of
//! axes, for [`adjust`](Graph::adjust) and [`fuse_scale8`](Graph::fuse_scale8).
//!
//! A map is stored in the order of its [`Layout`], a batch in front. Convolution and pooling read
//! and write maps in the layout of their input, whatever it is, and the axes of a convolution's
//! weight lie in that order behind the output channel; a linear layer reads a map's values in the
//! order in which they are stored. So what a node means follows from the layouts of the graph's
//! inputs and of its transposes, and nothing can disagree with them.
//!
//! | file | what |
//! | --- | --- |
//! | [`layout`] | orders of axes |
//! | `import` | a [`Network`](reference::Network) under NNTool's names |
//! | `order`, `form` | the order of execution; the shape and the layout of every output |
//! | [`run`] | what a graph computes: floats, or codes |
//! | [`sq8`] | the codes of the device |
//! | [`adjust`], [`fusions`] | the two passes, with what they report |

pub mod adjust;
mod edit;
pub mod error;
mod form;
pub mod fusions;
mod import;
pub mod layout;
mod order;
pub mod run;
pub mod sq8;
mod weights;

pub use error::GraphError;
pub use form::Form;
pub use import::{INPUT, OUTPUT};
pub use layout::{Axis, Layout};
pub use weights::Rearrange;

use reference::{Layer, Op, WeightShape};

/// What a node computes.
#[derive(Clone, Debug, PartialEq)]
pub enum Operator<W> {
    /// A map from outside; its shape in the order of its layout.
    Input {
        /// Sizes in the order of `layout`.
        shape: [usize; 3],
        /// The order in which the caller has it.
        layout: Layout,
    },
    /// What the caller reads.
    Output,
    /// An operator by itself.
    Op(Op<W>),
    /// The same map in another order.
    Transpose {
        /// The order of the output.
        to: Layout,
    },
    /// Maps of one size, their channels behind one another; or vectors.
    Concat,
    /// A filter with the activation and the pool behind it, as one kernel of the device; in the
    /// order in which they run, under the names that they had.
    Fusion(Vec<Layer<W>>),
}

impl<W> Operator<W> {
    /// What a convolution or a linear layer carries, alone or in a fusion.
    pub fn weights(&self) -> Option<&W> {
        match self {
            Self::Op(Op::Conv2d { weights, .. } | Op::Linear { weights }) => Some(weights),
            Self::Fusion(layers) => layers.first().and_then(Layer::weights),
            _ => None,
        }
    }

    fn weights_mut(&mut self) -> Option<&mut W> {
        match self {
            Self::Op(Op::Conv2d { weights, .. } | Op::Linear { weights }) => Some(weights),
            Self::Fusion(layers) => layers.first_mut().and_then(Layer::weights_mut),
            _ => None,
        }
    }

    /// The operator, or the first of a fusion.
    fn leading(&self) -> Option<&Op<W>> {
        match self {
            Self::Op(op) => Some(op),
            Self::Fusion(layers) => layers.first().map(|layer| &layer.op),
            _ => None,
        }
    }

    /// What it is, in a word or two.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Input { .. } => "input",
            Self::Output => "output",
            Self::Op(op) => kind(op),
            Self::Transpose { .. } => "transpose",
            Self::Concat => "concat",
            Self::Fusion(_) => "fusion",
        }
    }
}

/// What an operator is, in a word or two.
fn kind<W>(op: &Op<W>) -> &'static str {
    match op {
        Op::Conv2d { .. } => "conv",
        Op::Linear { .. } => "linear",
        Op::Relu => "relu",
        Op::MaxPool2d(_) => "max pool",
        Op::AveragePool2d(_) => "average pool",
        Op::Flatten => "reshape",
        Op::LogSoftmax => "log-softmax",
    }
}

/// A named operator and what it reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Node<W> {
    /// Unique in the graph.
    pub name: String,
    /// What it computes.
    pub operator: Operator<W>,
    /// Which nodes it reads, counted from 0.
    pub inputs: Vec<usize>,
}

impl<W> Node<W> {
    /// A node that reads these.
    pub fn new(name: impl Into<String>, operator: Operator<W>, inputs: &[usize]) -> Self {
        Self {
            name: name.into(),
            operator,
            inputs: inputs.to_vec(),
        }
    }
}

/// Nodes in the order in which they run, whose shapes are known to fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph<W> {
    name: String,
    nodes: Vec<Node<W>>,
    forms: Vec<Form>,
    adjusted: Option<Layout>,
}

impl<W: WeightShape> Graph<W> {
    /// The nodes in any order; they are brought into one in which each follows what it reads.
    ///
    /// # Errors
    /// No output; two nodes of one name; a node that reads a node that is not there, or itself
    /// in the end, or that nothing reads; a wrong number of inputs; or shapes that do not fit.
    pub fn new(name: impl Into<String>, nodes: Vec<Node<W>>) -> Result<Self, GraphError> {
        let nodes = order::sorted(nodes)?;
        let mut forms: Vec<Form> = Vec::with_capacity(nodes.len());
        for node in &nodes {
            let inputs: Vec<&Form> = node.inputs.iter().map(|&input| &forms[input]).collect();
            let next = form::of(&node.operator, &inputs);
            forms.push(next.map_err(|problem| problem.at(&node.name))?);
        }
        Ok(Self {
            name: name.into(),
            nodes,
            forms,
            adjusted: None,
        })
    }
}

impl<W> Graph<W> {
    /// The graph's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The nodes in the order in which they run.
    pub fn nodes(&self) -> &[Node<W>] {
        &self.nodes
    }

    /// The output of each node.
    pub fn forms(&self) -> &[Form] {
        &self.forms
    }

    /// Where the node of this name is.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.name == name)
    }

    /// The nodes that read this one, each once, in order.
    pub fn consumers(&self, of: usize) -> Vec<usize> {
        (0..self.nodes.len())
            .filter(|&node| self.nodes[node].inputs.contains(&of))
            .collect()
    }

    /// The order that [`adjust`](Self::adjust) has brought it into.
    ///
    /// # Errors
    /// It has not been adjusted: what writes code for the target must not take it.
    pub fn adjusted(&self) -> Result<Layout, GraphError> {
        self.adjusted.ok_or_else(|| GraphError::NotAdjusted {
            graph: self.name.clone(),
        })
    }

    /// The same nodes with other parameters of the same shapes; `f` is called with the name of
    /// the node, or of the fused layer, in the order of the nodes.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map_weights<V, E>(
        &self,
        mut f: impl FnMut(&str, &W) -> Result<V, E>,
    ) -> Result<Graph<V>, E> {
        let nodes = (self.nodes.iter())
            .map(|node| {
                let operator = match &node.operator {
                    Operator::Input { shape, layout } => Operator::Input {
                        shape: *shape,
                        layout: *layout,
                    },
                    Operator::Output => Operator::Output,
                    Operator::Op(op) => Operator::Op(op.try_map(|w| f(&node.name, w))?),
                    Operator::Transpose { to } => Operator::Transpose { to: *to },
                    Operator::Concat => Operator::Concat,
                    Operator::Fusion(layers) => Operator::Fusion(
                        (layers.iter())
                            .map(|layer| {
                                Ok(Layer {
                                    name: layer.name.clone(),
                                    op: layer.op.try_map(|w| f(&layer.name, w))?,
                                })
                            })
                            .collect::<Result<_, E>>()?,
                    ),
                };
                Ok(Node {
                    name: node.name.clone(),
                    operator,
                    inputs: node.inputs.clone(),
                })
            })
            .collect::<Result<_, E>>()?;
        Ok(Graph {
            name: self.name.clone(),
            nodes,
            forms: self.forms.clone(),
            adjusted: self.adjusted,
        })
    }
}
