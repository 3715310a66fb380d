//! How often a diagnosis is right: mistakes made on purpose, alone and in pairs, and runs that are
//! right or wrong in a way that nobody registered.

mod stranger;

use quant::prove::Random;
use rayon::prelude::*;
use reference::ShapeError;

use super::{Diagnosis, Segment, hypothesis};
use crate::backend::{Probe, Trial};
use crate::mistakes::Site;
use crate::model::{Step, Values};

pub use stranger::Stranger;

/// What came of wrong networks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Wrong networks that were judged.
    pub injected: usize,
    /// Those whose tensors differ anywhere: of the others nothing can be seen.
    pub seen: usize,
    /// Those where the first explanation is the mistake that was made, or is the same steps by
    /// another name.
    pub first: usize,
    /// Those where it is among the explanations.
    pub named: usize,
    /// Those whose first bad layer was not the one with the mistake in it.
    pub misplaced: usize,
}

impl Rates {
    /// Of two samples together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            injected: self.injected + other.injected,
            seen: self.seen + other.seen,
            first: self.first + other.first,
            named: self.named + other.named,
            misplaced: self.misplaced + other.misplaced,
        }
    }
}

/// A node with wrong steps, and what was done there.
struct Wrong {
    node: usize,
    steps: Vec<(usize, Step)>,
    ids: Vec<String>,
}

/// `count` random mistakes in random nodes, each judged from the layer by itself and from directed
/// cases.
///
/// # Errors
/// None for a trial that was made.
pub fn alone(trial: &Trial, count: usize, seed: u64) -> Result<Rates, ShapeError> {
    let sites: Vec<Vec<Wrong>> = (0..trial.model.nodes.len())
        .map(|node| changes(trial, node))
        .filter(|changes| !changes.is_empty())
        .collect();
    (0..count)
        .into_par_iter()
        .map(|at| {
            let random = &mut random(seed, at);
            let site = &sites[random.below(sites.len())];
            judge(trial, &site[random.below(site.len())])
        })
        .try_reduce(Rates::default, |a, b| Ok(a.plus(b)))
}

/// `count` random pairs of mistakes in one layer.
///
/// # Errors
/// None for a trial that was made.
pub fn pairs(trial: &Trial, count: usize, seed: u64) -> Result<Rates, ShapeError> {
    (0..count)
        .into_par_iter()
        .map(|at| match pair(trial, &mut random(seed, at)) {
            Some(wrong) => judge(trial, &wrong),
            None => Ok(Rates::default()),
        })
        .try_reduce(Rates::default, |a, b| Ok(a.plus(b)))
}

/// The numbers of one of many runs.
fn random(seed: u64, run: usize) -> Random {
    Random::new(seed ^ ((run as u64) << 20))
}

/// The mistakes at a node; contracts are none.
fn changes(trial: &Trial, node: usize) -> Vec<Wrong> {
    let changes = hypothesis::changes_at(&Site::new(&trial.model, node));
    (changes.into_iter())
        .filter(|change| !change.cause.is_contract())
        .map(|change| Wrong {
            node,
            steps: vec![(node, change.step)],
            ids: vec![change.cause.id],
        })
        .collect()
}

/// Two mistakes in a weighted layer: one in the sums and one in the requantization.
fn pair(trial: &Trial, random: &mut Random) -> Option<Wrong> {
    let sums: Vec<usize> = (0..trial.model.nodes.len())
        .filter(|&node| trial.model.nodes[node].is_accumulators())
        .collect();
    let node = sums[random.below(sums.len())];
    let mut pick = |mut wrong: Vec<Wrong>| {
        (!wrong.is_empty()).then(|| wrong.swap_remove(random.below(wrong.len())))
    };
    let (first, second) = (pick(changes(trial, node))?, pick(changes(trial, node + 1))?);
    Some(Wrong {
        node,
        steps: [first.steps, second.steps].concat(),
        ids: [first.ids, second.ids].concat(),
    })
}

/// Judges a wrong layer as a backend that shows codes only: by itself, and on directed cases.
fn judge(trial: &Trial, wrong: &Wrong) -> Result<Rates, ShapeError> {
    let mut rates = Rates {
        injected: 1,
        ..Rates::default()
    };
    let probes = by_itself(trial, wrong.node);
    let observed = (probes.iter())
        .map(|probe| {
            Ok(outputs(trial, probe, wrong)?
                .pop()
                .unwrap_or(probe.input.clone()))
        })
        .collect::<Result<Vec<Values>, ShapeError>>()?;
    let Some(diagnosis) = diagnose(trial, &probes, &observed, wrong.ids.len() > 1)? else {
        return Ok(rates);
    };
    let made = super::Hypothesis {
        causes: Vec::new(),
        steps: wrong.steps.clone(),
    };
    let is_it = |found: &super::Hypothesis| {
        // A single cause that makes the same values is right as well, and so is another name of
        // the very same steps.
        found.causes.len() < wrong.ids.len()
            || found.is(&made)
            || (found.causes.iter().map(|cause| &cause.id)).eq(wrong.ids.iter())
    };
    rates.seen = 1;
    rates.first = usize::from(diagnosis.explanations.first().is_some_and(is_it));
    rates.named = usize::from(diagnosis.explanations.iter().any(is_it));
    rates.misplaced = usize::from(!placed(trial, wrong)?);
    Ok(rates)
}

/// The probes of this node's layer; of the input, which is no layer, the whole network.
fn by_itself(trial: &Trial, node: usize) -> Vec<&Probe> {
    let probes = |network: bool| -> Vec<&Probe> {
        (trial.probes.iter())
            .filter(|probe| probe.nodes.contains(&node))
            .filter(|probe| (probe.name == crate::backend::NETWORK) == network)
            .collect()
    };
    match probes(false) {
        none if none.is_empty() => probes(true),
        some => some,
    }
}

/// The diagnosis of the first of some probes that differs, confirmed by all; none where no probe
/// does.
fn diagnose(
    trial: &Trial,
    probes: &[&Probe],
    observed: &[Values],
    thorough: bool,
) -> Result<Option<Diagnosis>, ShapeError> {
    let segments: Vec<Segment> = (probes.iter().zip(observed))
        .map(|(probe, observed)| Segment {
            model: &trial.model,
            nodes: probe.nodes.clone(),
            input: &probe.input,
            expected: probe.golden_of(probe.nodes.end - 1),
            observed,
        })
        .collect();
    let Some(wrong) = (segments.iter()).find(|segment| segment.expected != segment.observed) else {
        return Ok(None);
    };
    Diagnosis::new(wrong, &segments, thorough).map(Some)
}

/// The tensors of a probe under wrong steps.
fn outputs(trial: &Trial, probe: &Probe, wrong: &Wrong) -> Result<Vec<Values>, ShapeError> {
    let mut tensors: Vec<Values> = Vec::with_capacity(probe.nodes.len());
    for node in probe.nodes.clone() {
        let step = (wrong.steps.iter())
            .find(|(at, _)| *at == node)
            .map_or(&trial.model.nodes[node].step, |(_, step)| step);
        let next = step.run(tensors.last().unwrap_or(&probe.input))?;
        tensors.push(next);
    }
    Ok(tensors)
}

/// Whether the first bad layer of the whole network is the one with the mistake in it, and every
/// later one is explained by its input.
fn placed(trial: &Trial, wrong: &Wrong) -> Result<bool, ShapeError> {
    let Some(probe) = trial.probe(crate::backend::NETWORK) else {
        return Ok(true);
    };
    let tensors = outputs(trial, probe, wrong)?;
    let layer = trial.model.nodes[wrong.node].layer();
    for (at, tensor) in tensors.iter().enumerate().skip(1) {
        let node = probe.nodes.start + at;
        let right = trial.model.nodes[node].step.run(&tensors[at - 1])?;
        if right != *tensor && trial.model.nodes[node].layer() != layer {
            return Ok(false);
        }
    }
    Ok(true)
}

/// One run in so many is searched for pairs of causes as well, which takes seconds.
pub const THOROUGH: u64 = 100;

/// What came of runs that no registered mistake makes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strangers {
    /// How many there were.
    pub runs: usize,
    /// Those in which some value was wrong; the others are right.
    pub wrong: usize,
    /// Those that were given a name, and the name: each is false.
    pub named: Vec<(Stranger, String)>,
}

impl Strangers {
    /// Of two samples together.
    pub fn plus(mut self, mut other: Self) -> Self {
        self.named.append(&mut other.named);
        Self {
            runs: self.runs + other.runs,
            wrong: self.wrong + other.wrong,
            named: self.named,
        }
    }
}

/// Runs that are right, or wrong as no registered mistake is.
///
/// # Errors
/// None for a trial that was made.
pub fn strangers(trial: &Trial, runs: u64, seed: u64) -> Result<Strangers, ShapeError> {
    let layers: Vec<&Probe> = (trial.probes.iter())
        .filter(|probe| probe.name.starts_with("layer-"))
        .collect();
    (0..runs)
        .into_par_iter()
        .map(|run| {
            let random = &mut random(seed, run as usize);
            let layer = layers[random.below(layers.len())];
            let probes = by_itself(trial, layer.nodes.start);
            let mut observed = Vec::with_capacity(probes.len());
            let mut stranger = Stranger::Right;
            for probe in &probes {
                // The same layer for each of them.
                let (what, output) = stranger::observe(trial, probe, &mut random.clone())?;
                stranger = what;
                observed.push(output);
            }
            let thorough = run.is_multiple_of(THOROUGH);
            let diagnosis = diagnose(trial, &probes, &observed, thorough)?;
            let name = (diagnosis.as_ref()).and_then(|diagnosis| {
                Some((stranger, diagnosis.explanations.first()?.to_string()))
            });
            Ok(Strangers {
                runs: 1,
                wrong: usize::from(diagnosis.is_some()),
                named: name.into_iter().collect(),
            })
        })
        .try_reduce(Strangers::default, |a, b| Ok(a.plus(b)))
}

#[cfg(test)]
mod tests {
    use fixtures::Fixtures;

    use super::*;
    use crate::backend::NETWORK;
    use crate::model::{GOLDEN, MODELS};

    #[test]
    fn samples_add_up() {
        let rates = |by: usize| Rates {
            injected: by,
            seen: 2 * by,
            first: 3 * by,
            named: 4 * by,
            misplaced: 5 * by,
        };
        assert_eq!(rates(1).plus(rates(10)), rates(11));
        let strangers = |by: usize| Strangers {
            runs: by,
            wrong: 2 * by,
            named: vec![(Stranger::Bias, by.to_string())],
        };
        let both = strangers(1).plus(strangers(10));
        assert_eq!((both.runs, both.wrong, both.named.len()), (11, 22, 2));
    }

    #[test]
    fn runs_have_numbers_of_their_own() {
        let firsts: std::collections::BTreeSet<usize> =
            (0..50).map(|run| random(5, run).below(1_000_000)).collect();
        assert_eq!(firsts.len(), 50);
    }

    #[test]
    fn a_layer_is_asked_by_itself_and_the_input_with_the_network() {
        let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
        let trial = Trial::new(&fixtures, "mlp-mnist", MODELS[0], GOLDEN, 1, 1).unwrap();
        let names = |node: usize| -> Vec<&str> {
            let probes = by_itself(&trial, node).into_iter();
            probes.map(|probe| &*probe.name).collect()
        };
        assert_eq!(names(0), [NETWORK]);
        let fc2 = trial.model.position("fc2").unwrap();
        assert_eq!(names(fc2), ["layer-fc2", "directed-fc2"]);
        assert_eq!(names(fc2 - 1), ["layer-fc2", "directed-fc2"]);
    }
}
