//! A quantized network as a file: safetensors, described in `docs/model-file.md`.

mod description;
mod load;
mod packing;
mod save;

use quant::QuantError;
use reference::ShapeError;

pub use load::{load, load_float};
pub use save::{FloatFormat, save, save_float};

/// A saved network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The file.
    pub bytes: Vec<u8>,
    /// Bytes of the tensors alone.
    pub parameters: usize,
}

/// Why a file is no network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelFileError {
    /// Not safetensors.
    #[error("not a safetensors file: {0}")]
    Format(#[from] safetensors::SafeTensorError),
    /// No description, or one that is not understood.
    #[error("the metadata entry \"karat\": {0}")]
    Description(String),
    /// A tensor that is missing or not what the description says.
    #[error("tensor {name}: expected {expected}, got {got}")]
    Tensor {
        /// Its name.
        name: String,
        /// What the description asks for.
        expected: String,
        /// What there is.
        got: String,
    },
    /// Layers that do not fit together.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// Scales that are none.
    #[error(transparent)]
    Quant(#[from] QuantError),
}
