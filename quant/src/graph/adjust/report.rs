//! What [`adjust`](super) did.

use std::fmt;

use crate::graph::Layout;

/// What became of a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    /// The order that convolutions and pools now work in.
    pub target: Layout,
    /// In the order in which it was done.
    pub changes: Vec<Change>,
    /// The transposes that are left.
    pub kept: Vec<Kept>,
}

/// One step of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A transpose was put before or behind a node.
    Inserted {
        /// Its name.
        transpose: String,
        /// The order that it reads.
        from: Layout,
        /// The order that it writes.
        to: Layout,
    },
    /// A convolution's weights were stored in another order.
    Reordered {
        /// The convolution.
        node: String,
        /// The order of its kernels' axes before.
        from: Layout,
        /// And now.
        to: Layout,
    },
    /// A transpose met its inverse: the second's readers read what the first reads.
    Cancelled {
        /// The one that runs first.
        first: String,
        /// Its inverse.
        second: String,
    },
    /// Two transposes in a row became one.
    Merged {
        /// The one that ran first.
        first: String,
        /// The one that now does both.
        into: String,
    },
    /// Two transposes made the same of one tensor.
    Shared {
        /// The one that is gone.
        transpose: String,
        /// The one that is read instead.
        with: String,
    },
    /// A transpose wrote the order that it read.
    Dropped {
        /// Its name.
        transpose: String,
    },
    /// A node that works value by value, or channel by channel, works in another order: the
    /// transposes before it are now behind it, or the other way round.
    Moved {
        /// The node.
        through: String,
        /// The order that it worked in.
        from: Layout,
        /// And now.
        to: Layout,
    },
    /// A linear layer's columns were stored in the order that the transpose read.
    Absorbed {
        /// The transpose.
        transpose: String,
        /// The linear layer.
        into: String,
    },
}

impl Change {
    /// What was done, in a word.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Inserted { .. } => "inserted",
            Self::Reordered { .. } => "reordered",
            Self::Cancelled { .. } => "cancelled",
            Self::Merged { .. } => "merged",
            Self::Shared { .. } => "shared",
            Self::Dropped { .. } => "dropped",
            Self::Moved { .. } => "moved",
            Self::Absorbed { .. } => "absorbed",
        }
    }
}

/// To what, and how: all but the [`verb`](Change::verb).
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inserted {
                transpose,
                from,
                to,
            } => write!(f, "{transpose}: {from} to {to}"),
            Self::Reordered { node, from, to } => {
                write!(f, "weights of {node}: out,{from} to out,{to}")
            }
            Self::Cancelled { first, second } => write!(f, "{first} with {second}"),
            Self::Merged { first, into } => write!(f, "{first} into {into}"),
            Self::Shared { transpose, with } => write!(f, "{transpose}: {with} does it"),
            Self::Dropped { transpose } => write!(f, "{transpose}: it changes nothing"),
            Self::Moved { through, from, to } => {
                write!(
                    f,
                    "through {through}, which works in {to} instead of {from}"
                )
            }
            Self::Absorbed { transpose, into } => {
                write!(f, "{transpose} by the columns of {into}")
            }
        }
    }
}

/// A transpose that is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its name.
    pub transpose: String,
    /// The order that it reads.
    pub from: Layout,
    /// The order that it writes.
    pub to: Layout,
    /// What it reads.
    pub reads: String,
    /// What reads it.
    pub read_by: Vec<String>,
    /// Whether a value changes its place: none does where the axes that change sides have one
    /// position.
    pub moves_values: bool,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            transpose,
            from,
            to,
            reads,
            ..
        } = self;
        let readers = self.read_by.join(", ");
        write!(f, "{transpose}: {from} to {to}, from {reads} to {readers}")?;
        match self.moves_values {
            true => Ok(()),
            false => f.write_str("; no value changes its place"),
        }
    }
}

impl Adjustment {
    /// How often something of this [`verb`](Change::verb) was done.
    pub fn count(&self, verb: &str) -> usize {
        let of_verb = |change: &&Change| change.verb() == verb;
        self.changes.iter().filter(of_verb).count()
    }
}
