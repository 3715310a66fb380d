//! Which contract a backend follows throughout.

use quant::contracts::one_of_each_class;
use rayon::prelude::*;
use reference::{ShapeError, Tensor};

use super::stretch::segments;
use crate::backend::{Answer, Trial};
use crate::model::{GOLDEN, Model, Values};

/// The contracts under which every tensor is what the model makes of its input, one of each
/// class, Karat's own first.
pub(super) fn followed(trial: &Trial, answers: &[Answer]) -> Result<Vec<String>, ShapeError> {
    let mut shown = Vec::new();
    for answer in answers {
        if let Some(probe) = trial.probe(&answer.probe) {
            shown.extend(segments(trial, probe, answer)?);
        }
    }
    if shown.is_empty() {
        return Ok(Vec::new());
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
    Ok((names.into_par_iter())
        .filter(|name| follows(name))
        .map(str::to_owned)
        .collect())
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
