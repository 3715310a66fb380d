//! What can be wrong with an export.

use quant::QuantError;
use quant::graph::GraphError;
use reference::ShapeError;

use crate::files::{FileError, NewFolderError};

/// An export that cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The format has no way to say it.
    #[error("{network}, {node}: {format} cannot express {what}; {mend}")]
    Inexpressible {
        /// The network.
        network: String,
        /// The node of its model.
        node: String,
        /// The format.
        format: &'static str,
        /// What there is.
        what: String,
        /// What to do instead.
        mend: String,
    },
    /// No image, or more than there are.
    #[error("{asked} images: give 1 to {there}")]
    Images {
        /// How many were asked for.
        asked: usize,
        /// How many there are.
        there: usize,
    },
    /// No such layer for a test bench.
    #[error("{network} has no weighted layer {layer:?}; there are: {there}")]
    NoLayer {
        /// What was asked for.
        layer: String,
        /// The network.
        network: String,
        /// Its weighted layers.
        there: String,
    },
    /// Images that are not the network's.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// A network that cannot be quantized.
    #[error(transparent)]
    Quant(#[from] QuantError),
    /// A network that is no graph of NNTool's.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// A state of NNTool's that lacks the range of a node that needs one.
    #[error("{file} has no range of {node}; collect the statistics of this network with aquant")]
    Statistics {
        /// The state.
        file: String,
        /// The node.
        node: String,
    },
    /// A file cannot be made.
    #[error(transparent)]
    Encode(#[from] std::io::Error),
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The folder is there already, or cannot be made.
    #[error(transparent)]
    Folder(#[from] NewFolderError),
}
