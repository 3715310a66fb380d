//! Which contract a backend follows throughout.

use quant::contracts::{self, Contract, one_of_each_class};
use rayon::prelude::*;
use reference::Tensor;

use crate::backend::Trial;
use crate::diagnosis::Segment;
use crate::model::{GOLDEN, Model, Values};

/// The contracts under which every tensor is what the model makes of its input, Karat's own
/// first, those of a class side by side. Where all is Karat's own, no other is looked for.
pub(super) fn followed(trial: &Trial, shown: &[Segment]) -> Vec<String> {
    if shown.is_empty() {
        return Vec::new();
    }
    let right = |segment: &Segment| segment.expected == segment.observed;
    if trial.model.contract == GOLDEN && shown.iter().all(right) {
        return vec![GOLDEN.to_owned()];
    }
    let names = std::iter::once(GOLDEN).chain(one_of_each_class().into_iter().map(|c| c.name));
    let names: Vec<&str> = names.collect();
    let follows = |name: &str| {
        let Ok(model) = trial.model.clone().with_contract(name) else {
            return false;
        };
        // One image first: most contracts part on it.
        [1, usize::MAX].into_iter().all(|images| {
            (shown.iter()).all(|segment| {
                let of = |values: &Values| head(values, images);
                let made = run(&model, segment.nodes.clone(), of(segment.input));
                made.is_some_and(|made| made == of(segment.observed))
            })
        })
    };
    let follows: Vec<&str> = (names.into_par_iter())
        .filter(|name| follows(name))
        .collect();
    (follows.into_iter())
        .flat_map(|name| match contracts::find(name) {
            Some(contract) => class(contract),
            None => vec![name.to_owned()],
        })
        .collect()
}

/// The names of the contracts that equal this one.
fn class(contract: &Contract) -> Vec<String> {
    (contracts::ALL.iter())
        .filter(|other| other.class == contract.class)
        .map(|other| other.name.to_owned())
        .collect()
}

fn head(values: &Values, images: usize) -> Values {
    match images {
        1 => values.head(1),
        _ => values.clone(),
    }
}

fn run(model: &Model, nodes: std::ops::Range<usize>, input: Values) -> Option<Tensor<f64>> {
    let mut x = input;
    for step in model.steps(nodes) {
        x = step.run(&x).ok()?;
    }
    Some(x)
}
