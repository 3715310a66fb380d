//! Why nodes are no graph, or a graph cannot be run.

use reference::ShapeError;

/// A graph that means nothing, or not what is asked of it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// Nothing is read from outside.
    #[error("there is no output node: the graph computes nothing that is read")]
    NoOutput,
    /// Two nodes of one name.
    #[error("two nodes are called {name}: give each a name of its own")]
    SameName {
        /// The name.
        name: String,
    },
    /// An input that is no node.
    #[error("node {node} reads node {input}, but there are only {nodes}, counted from 0")]
    Dangling {
        /// The node that reads.
        node: String,
        /// What it reads.
        input: usize,
        /// How many there are.
        nodes: usize,
    },
    /// Nodes that read one another in a circle.
    #[error("these nodes read one another in a circle: {}", .nodes.join(", "))]
    Cycle {
        /// In the order in which values would flow.
        nodes: Vec<String>,
    },
    /// A node whose output is lost.
    #[error("nothing reads node {node}: take it out, or give it an output node")]
    Unread {
        /// The node.
        node: String,
    },
    /// Something reads an output node.
    #[error("node {node} reads {output}, which is an output: it is to read what the output reads")]
    ReadsOutput {
        /// The node that reads.
        node: String,
        /// The output node.
        output: String,
    },
    /// A node with too few inputs or too many.
    #[error("node {node}: {what} reads {expected}, not {got}")]
    Inputs {
        /// The node.
        node: String,
        /// What kind of node it is.
        what: &'static str,
        /// What it must read.
        expected: &'static str,
        /// How many it reads.
        got: usize,
    },
    /// Shapes that do not fit.
    #[error("node {node}: {source}")]
    Shape {
        /// The node.
        node: String,
        /// What is wrong with them.
        source: ShapeError,
    },
    /// An operator that needs a map and reads a vector.
    #[error("node {node}: {what} needs a map of three axes, got shape {got:?}")]
    NoMap {
        /// The node.
        node: String,
        /// What kind of node it is.
        what: &'static str,
        /// The shape that it reads.
        got: Vec<usize>,
    },
    /// Inputs of a concat that lie in different orders.
    #[error("node {node}: inputs lie in different orders, {first} and {other}")]
    Layouts {
        /// The node.
        node: String,
        /// The order of the first.
        first: String,
        /// The order of another.
        other: String,
    },
    /// A fusion that is no kernel.
    #[error("node {node}: no kernel computes {layers}")]
    Group {
        /// The node.
        node: String,
        /// What it holds.
        layers: String,
    },
    /// A graph that the target cannot run yet.
    #[error("graph {graph} has not been adjusted to the order of the target: run adjust first")]
    NotAdjusted {
        /// Its name.
        graph: String,
    },
    /// A run with more or fewer tensors than the graph has inputs.
    #[error("the graph has {expected} inputs, got {got} tensors")]
    Tensors {
        /// How many it has.
        expected: usize,
        /// How many there are.
        got: usize,
    },
}

/// What is wrong with a node, whatever its name.
#[derive(Debug)]
pub(super) enum Problem {
    Inputs(&'static str, &'static str, usize),
    Shape(ShapeError),
    NoMap(&'static str, Vec<usize>),
    Layouts(String, String),
    Group(String),
}

impl From<ShapeError> for Problem {
    fn from(error: ShapeError) -> Self {
        Self::Shape(error)
    }
}

impl Problem {
    /// The same of a named node.
    pub(super) fn at(self, node: &str) -> GraphError {
        let node = node.to_owned();
        match self {
            Self::Inputs(what, expected, got) => GraphError::Inputs {
                node,
                what,
                expected,
                got,
            },
            Self::Shape(source) => GraphError::Shape { node, source },
            Self::NoMap(what, got) => GraphError::NoMap { node, what, got },
            Self::Layouts(first, other) => GraphError::Layouts { node, first, other },
            Self::Group(layers) => GraphError::Group { node, layers },
        }
    }
}
