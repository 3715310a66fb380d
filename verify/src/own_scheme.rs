//! A backend whose scheme is its own: it equals no golden model, but must lie within the derived
//! bound of the float network.
//!
//! The tool says what its codes stand for ([`OwnScheme`]); from that and the float network come
//! the bounds of eq. 18 to 21. Each layer is judged twice: *cumulative*, by the bound that the
//! errors allowed before it grow to, and *by itself*, by the bound for the errors that its input
//! really has. Only the second tells which layer is to blame.

mod description;
mod judge;
mod outputs;
mod render;

pub use description::{OwnCodes, OwnLayer, OwnScheme, Precision, Requantizer};
pub use judge::{OwnVerdict, Share, judge};
pub use outputs::{Reals, read_outputs};
pub use render::{render_human, render_json};

use std::path::{Path, PathBuf};

use reference::ShapeError;

/// A scheme or a tensor that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OwnSchemeError {
    /// A file that is not what it should be.
    #[error("{}: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, what was expected.
        why: String,
    },
    /// The network has no bound.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// No tensor is there.
    #[error(
        "{} holds no tensor of the network; write <layer>.npy there, codes of your scheme, or \
         <layer>.real.npy, the values they stand for",
        .0.display()
    )]
    Nothing(PathBuf),
}

impl OwnSchemeError {
    fn file(path: &Path, why: impl ToString) -> Self {
        Self::File {
            path: path.to_owned(),
            why: why.to_string(),
        }
    }
}
