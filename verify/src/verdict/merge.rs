//! The verdicts of several shards as one.

use super::{TrialVerdict, Verdict};

/// Verdicts that do not belong together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// There is none.
    #[error("there is nothing to merge")]
    Nothing,
    /// Of different backends.
    #[error("verdicts on two backends, {one:?} and {other:?}")]
    Backends {
        /// The first.
        one: String,
        /// Another.
        other: String,
    },
    /// Not all shards of one run are there.
    #[error("shard {missing} is missing; give all {of} of the run")]
    Missing {
        /// The first that is, `2/3`.
        missing: String,
        /// How many there are.
        of: usize,
    },
    /// Shards of runs that were divided otherwise.
    #[error("{one} shards and {other}; give those of one run")]
    Divided {
        /// Into so many.
        one: usize,
        /// And into so many.
        other: usize,
    },
    /// Two shards judged the same probe.
    #[error("network {network}: two verdicts on {probe:?}; give each shard once")]
    Twice {
        /// The network.
        network: String,
        /// The probe.
        probe: String,
    },
}

/// All trials, those of one network together, as one run without shards orders them. A shard names
/// what explains its own cases; one run would ask a name to hold on all of them.
///
/// # Errors
/// Nothing to merge, two backends, one probe twice, or a shard that is missing.
pub fn merge(verdicts: Vec<Verdict>) -> Result<Verdict, MergeError> {
    let shards: Vec<[usize; 2]> = verdicts
        .iter()
        .filter_map(|verdict| verdict.shard)
        .collect();
    let mut verdicts = verdicts.into_iter();
    let mut merged = verdicts.next().ok_or(MergeError::Nothing)?;
    for verdict in verdicts {
        if verdict.backend != merged.backend {
            return Err(MergeError::Backends {
                one: merged.backend,
                other: verdict.backend,
            });
        }
        for trial in verdict.trials {
            add(&mut merged.trials, trial)?;
        }
    }
    all_there(&shards)?;
    merged.shard = None;
    Ok(merged)
}

/// Whether the shards are all those of one run.
fn all_there(shards: &[[usize; 2]]) -> Result<(), MergeError> {
    let Some(&[_, of]) = shards.first() else {
        return Ok(());
    };
    if let Some(&[_, other]) = shards.iter().find(|shard| shard[1] != of) {
        return Err(MergeError::Divided { one: of, other });
    }
    match (1..=of).find(|&at| !shards.contains(&[at, of])) {
        Some(at) => Err(MergeError::Missing {
            missing: format!("{at}/{of}"),
            of,
        }),
        None => Ok(()),
    }
}

fn add(trials: &mut Vec<TrialVerdict>, trial: TrialVerdict) -> Result<(), MergeError> {
    let same = |known: &&mut TrialVerdict| {
        (&known.network, &known.scheme, &known.contract)
            == (&trial.network, &trial.scheme, &trial.contract)
    };
    let Some(known) = trials.iter_mut().find(same) else {
        trials.push(trial);
        return Ok(());
    };
    for probe in trial.probes {
        if known.probes.iter().any(|other| other.probe == probe.probe) {
            return Err(MergeError::Twice {
                network: known.network.clone(),
                probe: probe.probe,
            });
        }
        known.probes.push(probe);
    }
    known
        .follows
        .retain(|contract| trial.follows.contains(contract));
    known.failure = known.failure.take().or(trial.failure);
    // As in a run without shards: the network, the layers in their order, the directed cases.
    known.probes.sort_by_key(|probe| {
        let first = probe.stretches.first().map_or(0, |stretch| stretch.first);
        let kind = ["network", "layer-", "directed-"]
            .iter()
            .position(|kind| probe.probe.starts_with(kind));
        (kind, first)
    });
    Ok(())
}
