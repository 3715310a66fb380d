//! What a tool wrote into a folder.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;

use fixtures::npy::{Numbers, numbers};
use quant::bounds::scale_chain;
use quant::scheme::QuantParams;
use reference::Tensor;

use super::description::file_of;
use super::plain::{plain, what};
use super::surplus::{shown, surplus};
use super::{ERROR, FolderError, OUTPUTS};
use crate::backend::{Answer, Probe, Problem, Shown, Trial};
use crate::model::{Node, Values};

/// The answers in `DIR/outputs`. What lies there beside the cases is a problem of the first.
///
/// # Errors
/// The folder cannot be read, or holds none of the files.
pub fn read(trial: &Trial, folder: &Path) -> Result<Vec<Answer>, FolderError> {
    let outputs = folder.join(OUTPUTS);
    let mut answers = Vec::new();
    for probe in &trial.probes {
        let mut answer = read_folder(trial, probe, &outputs.join(&probe.name))?;
        if answers.is_empty() && is_folder(&outputs)? {
            let cases: Vec<&str> = trial.probes.iter().map(|probe| &*probe.name).collect();
            let what = format!("is no case; expected one of {}", cases.join(", "));
            let known = |name: &OsStr| cases.iter().any(|case| name == *case);
            let found = surplus(&outputs, "", &what, known);
            let found = found.map_err(|error| FolderError::read(&outputs, error))?;
            answer.problems.extend(found);
        }
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
    // The folder of all outputs may be a link too.
    if !is_folder(folder.parent().unwrap_or(folder))? || !is_folder(folder)? {
        return Ok(answer);
    }
    let nodes = || probe.nodes.clone().map(|at| (at, &trial.model.nodes[at]));
    let files = |node: &Node| [file_of(node), format!("{}.real.npy", node.name)];
    for (at, node) in nodes() {
        for (file, real) in files(node).into_iter().zip([false, true]) {
            let path = folder.join(&file);
            if (path.symlink_metadata()).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
                continue;
            }
            match read_file(&path, node, probe.golden_of(at), real) {
                Ok(values) => answer.tensors.push(Shown { node: at, values }),
                Err(what) => answer.problems.push(Problem {
                    file: format!("{}/{file}", probe.name),
                    what,
                }),
            }
        }
    }
    answer.problems.extend(said(probe, &folder.join(ERROR)));
    let names: Vec<&str> = nodes().map(|(_, node)| &*node.name).collect();
    let what = format!(
        "is no tensor of this case; expected <name>.npy, <name> one of {}",
        names.join(", ")
    );
    let known = |name: &OsStr| {
        name == ERROR || nodes().any(|(_, node)| files(node).iter().any(|file| name == &**file))
    };
    let found = surplus(folder, &format!("{}/", probe.name), &what, known);
    answer
        .problems
        .extend(found.map_err(|error| FolderError::read(folder, error))?);
    Ok(answer)
}

/// What the tool itself says went wrong in a case.
fn said(probe: &Probe, path: &Path) -> Option<Problem> {
    if (path.symlink_metadata()).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return None;
    }
    let what = plain(path, LONGEST_ERROR).map(|text| shown(String::from_utf8_lossy(&text).trim()));
    Some(Problem {
        file: format!("{}/{ERROR}", probe.name),
        what: what.unwrap_or_else(|what| what),
    })
}

/// The most bytes of what a tool says.
const LONGEST_ERROR: u64 = 4 << 10;

/// Whether there is a folder; anything else in its place is an error.
fn is_folder(path: &Path) -> Result<bool, FolderError> {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(true),
        Ok(metadata) => {
            let what = what(metadata.file_type());
            Err(FolderError::read(
                path,
                format!("it is {what}; expected a folder"),
            ))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(FolderError::read(path, error)),
    }
}

/// The codes or accumulators in a file.
fn read_file(path: &Path, node: &Node, expected: &Values, real: bool) -> Result<Values, String> {
    // Of the widest type, and the longest header.
    let most = (expected.data().len() as u64).saturating_mul(8) + (64 << 10);
    let bytes = plain(path, most)?;
    let read = numbers(&bytes).map_err(|error| error.to_string())?;
    if read.values.shape() != expected.shape() {
        return Err(shapes(read.values.shape(), expected.shape()));
    }
    let mut wrong = (read.values.data().iter().enumerate()).filter(|(_, value)| !value.is_finite());
    if let Some((at, first)) = wrong.next() {
        return Err(format!(
            "holds {} NaN or infinities, the first, {first}, at {:?}; expected {}",
            1 + wrong.count(),
            read.values.position(at),
            kind(node)
        ));
    }
    match node.params {
        Some(params) if real => Ok(codes_of(&read.values, &params, true).unwrap_or(read.values)),
        // Integers of any type are codes, multiples of the scale real values.
        Some(params) if read.values.data().iter().all(|value| value.fract() == 0.0) => {
            in_type(read, &params)
        }
        Some(params) => Ok(codes_of(&read.values, &params, false).unwrap_or(read.values)),
        None if ["|i1", "|u1"].contains(&read.descr.as_str()) => Err(format!(
            "has dtype {:?}, expected int32 accumulators, the sums before requantization",
            read.descr
        )),
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
            crate::dtype::Dtype::of_grid(params.grid).name()
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
