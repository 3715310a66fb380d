//! Somebody's int8 network, under test.
//!
//! Whatever it is, it is asked [`Probe`]s and answers with tensors. The three ways that need
//! no Rust exchange folders of npy files ([`folder`]).

mod directed;
pub mod folder;
mod probe;
mod process;

pub use folder::FolderError;
pub use probe::{NETWORK, Probe, Trial, TrialError};
pub use process::{LIBRARY_HOST, Process, TIME_LIMIT, backend_of};

use crate::model::Values;

/// Something that runs a quantized network, or parts of one.
pub trait Backend {
    /// What it is called in reports.
    fn name(&self) -> String;

    /// Its tensors for the probes of a trial; those that it cannot compute are left out.
    ///
    /// # Errors
    /// It could not be run at all.
    fn run(&mut self, trial: &Trial) -> Result<Vec<Answer>, BackendError>;

    /// The last that it said of its own accord when it ran, a line each.
    fn remarks(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What a backend made of one probe.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The probe.
    pub probe: String,
    /// Its tensors by node, in the order of the model.
    pub tensors: Vec<Shown>,
    /// What is wrong with its files, by name.
    pub problems: Vec<Problem>,
}

/// A tensor that a backend shows.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The node, counted in the model.
    pub node: usize,
    /// Codes or accumulators; a fraction is none of them.
    pub values: Values,
}

/// A file of a backend that cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// Relative to the folder of outputs.
    pub file: String,
    /// What is wrong, what was expected, what to do.
    pub what: String,
}

/// A backend that gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// Its files cannot be exchanged.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// It is no command line.
    #[error("--backend {text:?}: {why}")]
    Command {
        /// What was given.
        text: String,
        /// Why.
        why: String,
    },
    /// It cannot be started.
    #[error("{name}: cannot be started: {why}")]
    Start {
        /// The backend.
        name: String,
        /// Why.
        why: String,
    },
    /// It ran too long.
    #[error("{name}: no answer within {seconds} s; it was stopped{stderr}")]
    TimeLimit {
        /// The backend.
        name: String,
        /// The limit.
        seconds: u64,
        /// The end of what it said, quoted.
        stderr: String,
    },
    /// It ended with an error.
    #[error("{name}: {how}{stderr}")]
    Failed {
        /// The backend.
        name: String,
        /// Exit code or signal.
        how: String,
        /// The end of what it said, quoted.
        stderr: String,
    },
    /// It ended well and wrote nothing that can be compared.
    #[error(
        "{name}: it ended well, but wrote none of the expected files; it is given a folder DIR as \
         its last argument and writes DIR/{}/<case>/<layer>.npy{stderr}",
        folder::OUTPUTS
    )]
    Silent {
        /// The backend.
        name: String,
        /// The end of what it said, quoted.
        stderr: String,
    },
    /// The user stopped the run.
    #[error("{name}: stopped, as you asked; nothing of it is left")]
    Interrupted {
        /// The backend.
        name: String,
    },
}
