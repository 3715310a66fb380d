//! A trial as a folder that any tool can read and answer in.
//!
//! ```text
//! DIR/trial.json                          network, scheme, contract, how many images
//! DIR/README.md                           what to do
//! DIR/cases/<probe>/case.json             the layers: shapes, scales, zero points, files
//! DIR/cases/<probe>/*.npy                 input, weights, biases
//! DIR/expected/<probe>/<node>.npy         the right tensors
//! DIR/outputs/<probe>/<node>.npy          what the tool under test writes
//! ```

mod answer;
mod description;
mod plain;
mod surplus;
mod write;

pub use answer::{read, read_folder};
pub(crate) use description::layers;
pub use description::{
    CaseDescription, LayerDescription, OpDescription, OutputDescription, Pixels, TensorDescription,
    TrialDescription, WeightsDescription,
};
pub use plain::plain;
pub(super) use surplus::{Before, shown};
pub use write::{write, write_cases};

use std::path::{Path, PathBuf};

use crate::files::FileError;

/// Where the tool under test writes.
pub const OUTPUTS: &str = "outputs";

/// In the folder of a case's outputs: what the tool itself says went wrong.
pub const ERROR: &str = "error.txt";

/// What the tool under test is asked, a folder a case.
pub const CASES: &str = "cases";

/// The file that describes a case.
pub const CASE: &str = "case.json";

/// The file that says which trial it is.
pub const TRIAL: &str = "trial.json";

/// A folder that cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] FileError),
    /// It cannot be read.
    #[error("cannot read {}: {why}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// It is no folder of a trial.
    #[error(
        "{} is no trial.json of format {FORMAT}: {why}; make the folder anew with \
         `cargo xtask emit --network NAME --out DIR`",
        path.display()
    )]
    Description {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// There is no answer in it.
    #[error(
        "{} holds none of the expected files; write <layer>.npy to {}/{OUTPUTS}/<case>/, \
         for example {OUTPUTS}/network/{example}.npy",
        path.display(), path.display()
    )]
    Empty {
        /// The folder.
        path: PathBuf,
        /// A file that would do.
        example: String,
    },
}

/// The version of the folder.
pub const FORMAT: u32 = 1;

impl FolderError {
    fn read(path: &Path, why: impl ToString) -> Self {
        Self::Read {
            path: path.to_owned(),
            why: why.to_string(),
        }
    }
}
