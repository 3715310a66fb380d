//! What a backend's answers show: which layer differs first, and why.
//!
//! Between two tensors that the backend shows, the right model is replayed on the backend's own
//! input: a layer that makes of a wrong input what the right model makes of it is explained by
//! its input, and not to blame.

mod apart;
mod contracts;
mod human;
mod json;
mod junit;
mod map;
mod merge;
mod page;
mod stretch;

pub use apart::{Apart, Array, PartingInput};
pub use human::render as render_human;
pub use json::{parse as parse_json, render as render_json};
pub use junit::render as render_junit;
pub use map::ErrorMap;
pub use merge::{MergeError, merge};
pub use page::render as render_page;
pub use stretch::{Finding, Outcome, Stretch};

use rayon::prelude::*;
use reference::ShapeError;
use serde::{Deserialize, Serialize};

use crate::backend::{Answer, Problem, Trial};
use crate::diagnosis::Segment;

/// The verdict on a backend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// The version of the JSON.
    pub format: u32,
    /// The backend.
    pub backend: String,
    /// Which part of the cases was judged, K of N, if not all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<[usize; 2]>,
    /// One for each network.
    pub trials: Vec<TrialVerdict>,
}

/// The version of the JSON.
pub const FORMAT: u32 = 1;

/// The verdict on one network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialVerdict {
    /// The network.
    pub network: String,
    /// How it is quantized.
    pub scheme: String,
    /// The contract that it is held against.
    pub contract: String,
    /// Contracts under which every tensor is equal.
    pub follows: Vec<String>,
    /// What was asked, and what came of it.
    pub probes: Vec<ProbeVerdict>,
    /// Why there is no answer, if there is none.
    pub failure: Option<String>,
}

/// The verdict on one probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeVerdict {
    /// `network`, `layer-<name>` or `directed-<name>`.
    pub probe: String,
    /// How many images were put in.
    pub images: usize,
    /// Between each two tensors shown.
    pub stretches: Vec<Stretch>,
    /// Files that could not be compared.
    pub problems: Vec<Problem>,
}

impl Verdict {
    /// Of one network or several.
    pub fn new(backend: impl Into<String>, trials: Vec<TrialVerdict>) -> Self {
        Self {
            format: FORMAT,
            backend: backend.into(),
            shard: None,
            trials,
        }
    }

    /// Whether something was compared, and all of it is equal.
    pub fn passed(&self) -> bool {
        !self.trials.is_empty() && self.trials.iter().all(TrialVerdict::passed)
    }
}

impl TrialVerdict {
    /// Judges the answers to a trial.
    ///
    /// # Errors
    /// A trial whose shapes do not fit its own model.
    pub fn new(trial: &Trial, answers: &[Answer]) -> Result<Self, ShapeError> {
        let shown: Vec<Vec<stretch::Shown>> = (answers.par_iter())
            .map(|answer| match trial.probe(&answer.probe) {
                Some(probe) => stretch::segments(trial, probe, answer),
                None => Ok(Vec::new()),
            })
            .collect::<Result<_, _>>()?;
        let all: Vec<Segment> = shown
            .iter()
            .flatten()
            .map(stretch::Shown::segment)
            .collect();
        let mut probes: Vec<ProbeVerdict> = (answers.par_iter().zip(&shown))
            .map(|(answer, shown)| ProbeVerdict::new(trial, answer, shown, &all))
            .collect::<Result<_, _>>()?;
        let order = |probe: &ProbeVerdict| {
            (trial.probes.iter()).position(|asked| asked.name == probe.probe)
        };
        probes.sort_by_key(order);
        let follows = contracts::followed(trial, &all);
        Ok(Self {
            network: trial.model.network.clone(),
            scheme: trial.model.scheme.name().into(),
            contract: trial.model.contract.clone(),
            follows,
            probes,
            failure: None,
        })
    }

    /// Of a backend that gave no answer.
    pub fn failed(trial: &Trial, why: impl ToString) -> Self {
        Self {
            network: trial.model.network.clone(),
            scheme: trial.model.scheme.name().into(),
            contract: trial.model.contract.clone(),
            follows: Vec::new(),
            probes: Vec::new(),
            failure: Some(why.to_string()),
        }
    }

    /// Whether something was compared, and all of it is equal.
    pub fn passed(&self) -> bool {
        self.failure.is_none()
            && self.compared() > 0
            && (self.probes.iter()).all(|probe| {
                probe.problems.is_empty() && probe.stretches.iter().all(Stretch::is_right)
            })
    }

    /// How many values were compared.
    pub fn compared(&self) -> usize {
        (self.probes.iter())
            .flat_map(|probe| &probe.stretches)
            .map(|stretch| stretch.compared)
            .sum()
    }

    /// The first stretch to blame: of the layers by themselves, else of the whole network.
    /// Stretches whose difference their input explains are not.
    pub fn to_blame(&self) -> Option<(&ProbeVerdict, &Stretch)> {
        let blamed = |probe: &'_ ProbeVerdict| {
            (probe.stretches.iter()).position(|stretch| stretch.finding().is_some())
        };
        (self.probes.iter())
            .filter_map(|probe| Some((probe, &probe.stretches[blamed(probe)?])))
            .min_by_key(|(_, stretch)| (stretch.last, stretch.first))
    }
}
