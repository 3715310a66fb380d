//! What can be wrong with an export.

use std::path::PathBuf;

use reference::ShapeError;

use crate::files::FileError;

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
    /// Images that are not the network's.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// A file cannot be made.
    #[error(transparent)]
    Encode(#[from] std::io::Error),
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The folder is there already.
    #[error("{} exists and is not empty; give a new folder, so that nothing is lost", .0.display())]
    Exists(PathBuf),
}
