//! What a tool wrote into a folder.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use fixtures::npy::{Numbers, numbers};
use quant::bounds::scale_chain;
use quant::scheme::QuantParams;
use reference::Tensor;

use super::description::file_of;
use super::{FolderError, OUTPUTS};
use crate::backend::{Answer, Probe, Problem, Shown, Trial};
use crate::model::{Node, Values};

/// The answers in `DIR/outputs`.
///
/// # Errors
/// The folder cannot be read, or holds none of the files.
pub fn read(trial: &Trial, folder: &Path) -> Result<Vec<Answer>, FolderError> {
    let outputs = folder.join(OUTPUTS);
    let mut answers = Vec::new();
    for probe in &trial.probes {
        let answer = read_folder(trial, probe, &outputs.join(&probe.name))?;
        if !answer.tensors.is_empty() || !answer.problems.is_empty() {
            answers.push(answer);
        }
    }
    if answers.is_empty() {
        let last = trial.model.nodes.last();
        return Err(FolderError::Empty {
            path: folder.to_owned(),
            example: last.map_or_else(String::new, |node| node.name.clone()),
        });
    }
    Ok(answers)
}

/// The answer to one probe; a folder that is not there is an empty one.
///
/// # Errors
/// The folder cannot be read.
pub fn read_folder(trial: &Trial, probe: &Probe, folder: &Path) -> Result<Answer, FolderError> {
    let mut answer = Answer {
        probe: probe.name.clone(),
        ..Answer::default()
    };
    let mut files = match listing(folder) {
        Ok(files) => files,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(answer),
        Err(error) => return Err(FolderError::read(folder, error)),
    };
    for at in probe.nodes.clone() {
        let node = &trial.model.nodes[at];
        let expected = probe.golden_of(at);
        for (file, real) in [
            (file_of(node), false),
            (format!("{}.real.npy", node.name), true),
        ] {
            if !files.remove(&file) {
                continue;
            }
            match read_file(&folder.join(&file), node, expected, real) {
                Ok(values) => answer.tensors.push(Shown { node: at, values }),
                Err(what) => answer.problems.push(Problem {
                    file: format!("{}/{file}", probe.name),
                    what,
                }),
            }
        }
    }
    let known: Vec<&str> = (probe.nodes.clone())
        .map(|at| trial.model.nodes[at].name.as_str())
        .collect();
    answer
        .problems
        .extend(files.into_iter().map(|file| Problem {
            file: format!("{}/{file}", probe.name),
            what: format!(
                "is no tensor of this case; expected <name>.npy, <name> one of {}",
                known.join(", ")
            ),
        }));
    Ok(answer)
}

/// The names in a folder; one that is no text is shown with replacements.
fn listing(folder: &Path) -> std::io::Result<BTreeSet<String>> {
    fs::read_dir(folder)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect()
}

/// The codes or accumulators in a file.
fn read_file(path: &Path, node: &Node, expected: &Values, real: bool) -> Result<Values, String> {
    let metadata = fs::symlink_metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("is no plain file; write the npy file itself".into());
    }
    // Of the widest type, and the longest header.
    let most = (expected.data().len() as u64).saturating_mul(8) + (64 << 10);
    if metadata.len() > most {
        return Err(format!(
            "is {} bytes long, expected at most {most} for shape {:?}",
            metadata.len(),
            expected.shape()
        ));
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let read = numbers(&bytes).map_err(|error| error.to_string())?;
    if read.values.shape() != expected.shape() {
        return Err(shapes(read.values.shape(), expected.shape()));
    }
    if let Some(at) = read.values.data().iter().position(|value| value.is_nan()) {
        let nans = read
            .values
            .data()
            .iter()
            .filter(|value| value.is_nan())
            .count();
        return Err(format!(
            "holds {nans} NaN, the first at {:?}; expected {}",
            read.values.position(at),
            kind(node)
        ));
    }
    match node.params {
        Some(params) if real => Ok(codes_of(&read.values, &params, true).unwrap_or(read.values)),
        Some(params) if read.is_integer() => in_type(read, &params),
        // Integers in a float type are codes, multiples of the scale real values.
        Some(params) if read.values.data().iter().all(|value| value.fract() == 0.0) => {
            in_type(read, &params)
        }
        Some(params) => Ok(codes_of(&read.values, &params, false).unwrap_or(read.values)),
        None => Ok(read.values),
    }
}

/// What a node's file holds.
fn kind(node: &Node) -> String {
    match node.params {
        Some(params) => format!("codes {} to {}", params.grid.low(), params.grid.high()),
        None => "int32 accumulators".into(),
    }
}

fn shapes(got: &[usize], expected: &[usize]) -> String {
    let volume = |shape: &[usize]| shape.iter().product::<usize>();
    let hint = match (got, expected) {
        ([n, h, w, c], [m, d, i, j]) if (n, c, h, w) == (m, d, i, j) => {
            "; it looks like NHWC: transpose to NCHW"
        }
        _ if got.len() + 1 == expected.len() && got == &expected[1..] => {
            "; the first axis, the image, is missing"
        }
        _ if volume(got) == volume(expected) => "; it has as many values: reshape it",
        _ => "",
    };
    format!("has shape {got:?}, expected {expected:?}{hint}")
}

/// A type of 8 bits must be that of the codes: the other one reads half of them as others.
fn in_type(read: Numbers, params: &QuantParams) -> Result<Values, String> {
    let wrong = match params.grid.signed {
        true => "|u1",
        false => "|i1",
    };
    match read.descr == wrong {
        true => Err(format!(
            "has dtype {:?}, expected codes {} to {}; write {} or a wider integer",
            read.descr,
            params.grid.low(),
            params.grid.high(),
            super::description::dtype(params.grid)
        )),
        false => Ok(read.values),
    }
}

/// The codes of real values, if each is a multiple of the scale but for the rounding of a
/// product of float32 scales.
fn codes_of(values: &Values, params: &QuantParams, force: bool) -> Option<Values> {
    let slack = scale_chain(SCALES);
    let mut whole = true;
    let codes: Vec<f64> = (values.data().iter())
        .map(|&real| {
            let steps = real / params.scale.wide();
            let code = steps.round_ties_even();
            let near = (steps - code).abs() <= slack * code.abs().max(1.0);
            whole &= near;
            // What is no multiple stays a fraction, and differs.
            let kept = if near { code } else { steps };
            kept + f64::from(params.zero_point)
        })
        .collect();
    match whole || force {
        true => Tensor::new(values.shape(), codes).ok(),
        false => None,
    }
}

/// The most scales that are multiplied into that of an output.
const SCALES: usize = 64;
