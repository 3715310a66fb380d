//! What [`fuse_scale8`](crate::graph::Graph::fuse_scale8) did, and why it left the rest.

use std::fmt;

/// What became of a graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fusions {
    /// Nodes that now run before those that they read.
    pub moved: Vec<Moved>,
    /// Reshapes that are gone.
    pub removed: Vec<Removed>,
    /// The kernels.
    pub fused: Vec<Fused>,
    /// Every node that is in none of them, but inputs and outputs.
    pub left: Vec<Left>,
}

/// A node that moved up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The node.
    pub node: String,
    /// What it read, which now reads it.
    pub above: String,
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} above {}", self.node, self.above)
    }
}

/// A reshape that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// The reshape.
    pub node: String,
    /// The linear layer that reads what it read.
    pub before: String,
}

impl fmt::Display for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} before {}", self.node, self.before)
    }
}

/// A kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fused {
    /// The layers in it, in the order in which they run.
    pub members: Vec<String>,
    /// Its name.
    pub into: String,
    /// What to know of its numbers.
    pub caution: Option<Caution>,
}

impl fmt::Display for Fused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {}", self.members.join("+"), self.into)
    }
}

/// Where a kernel's numbers need not be those of its layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caution {
    /// A convolution, an average pool and an activation.
    ActivationBehindMean,
}

impl fmt::Display for Caution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ActivationBehindMean => {
                "the mean is of codes that the convolution has rounded and clipped in the \
                 activation's range: where that begins at 0 they are cut there before the mean, \
                 as if the activation stood before the pool"
            }
        })
    }
}

/// A node that is a kernel of its own, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The node.
    pub node: String,
    /// What it is.
    pub kind: &'static str,
    /// Why nothing was fused with it.
    pub reason: Reason,
}

/// Why a node is in no fusion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No rule of the group takes such a node.
    NoRule,
    /// A filter with nothing behind it but the output.
    Last,
    /// A filter with something else behind it than an activation or a pool.
    Next {
        /// What reads it.
        node: String,
        /// What that is.
        kind: &'static str,
    },
    /// More than one node reads the output at which the fusion would have to go on.
    Readers {
        /// Whose output.
        of: String,
        /// How many read it.
        count: usize,
    },
    /// The layers in a row are none that a kernel computes.
    NoKernel {
        /// What they are.
        layers: Vec<&'static str>,
    },
    /// What an activation or a pool reads is no filter.
    NoFilter {
        /// What it reads.
        node: String,
        /// What that is.
        kind: &'static str,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRule => f.write_str("no rule takes it"),
            Self::Last => f.write_str("nothing follows it but the output"),
            Self::Next { node, kind } => {
                write!(f, "{node} follows ({kind}): neither activation nor pool")
            }
            Self::Readers { of, count } => {
                write!(f, "{count} nodes read {of}: a fusion has one output")
            }
            Self::NoKernel { layers } => write!(f, "no kernel computes {}", layers.join(" + ")),
            Self::NoFilter { node, kind } => {
                write!(f, "it reads {node} ({kind}): neither conv nor linear")
            }
        }
    }
}
