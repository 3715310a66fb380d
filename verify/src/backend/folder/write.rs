//! A trial to a folder.

use std::path::Path;

use super::description::{CaseDescription, TrialDescription, dtype, file_of};
use super::{CASE, CASES, FolderError, OUTPUTS, TRIAL};
use crate::backend::{Probe, Trial};
use crate::files::{FileError, make, replace, replace_npy};
use crate::model::{LayerOrigin, Node, Step, Values};

/// The whole folder, expected tensors included.
///
/// # Errors
/// A file cannot be written.
pub fn write(
    trial: &Trial,
    description: &TrialDescription,
    folder: &Path,
) -> Result<(), FolderError> {
    write_cases(trial, folder)?;
    for probe in &trial.probes {
        let expected = folder.join("expected").join(&probe.name);
        make(&expected)?;
        for (at, values) in probe.nodes.clone().zip(&probe.golden) {
            let node = &trial.model.nodes[at];
            write_node(&expected.join(file_of(node)), node, values)?;
        }
    }
    replace(&folder.join("README.md"), README.as_bytes())?;
    // Last: a folder that has it is whole.
    json(&folder.join(TRIAL), description)
}

/// What a backend is to compute, without the answers, and the empty folders that it writes to.
///
/// # Errors
/// A file cannot be written.
pub fn write_cases(trial: &Trial, folder: &Path) -> Result<(), FolderError> {
    for probe in &trial.probes {
        write_case(trial, probe, &folder.join(CASES).join(&probe.name))?;
        make(&folder.join(OUTPUTS).join(&probe.name))?;
    }
    Ok(())
}

const README: &str = include_str!("README.md");

fn write_case(trial: &Trial, probe: &Probe, folder: &Path) -> Result<(), FolderError> {
    make(folder)?;
    let model = &trial.model;
    let before = &model.nodes[probe.nodes.start.saturating_sub(1)];
    write_node(&folder.join("input.npy"), before, probe.codes(model))?;
    for at in probe.nodes.clone() {
        match &model.nodes[at].step {
            Step::Quantize(_) => {
                let pixels: Vec<u8> = probe.input.data().iter().map(|&p| p as u8).collect();
                replace_npy(&folder.join("pixels.npy"), probe.input.shape(), &pixels)?;
            }
            Step::Accumulate(sums) => {
                let layer = model.nodes[at].layer();
                let path = folder.join(format!("{layer}.weight.npy"));
                let codes: Vec<i8> = sums.weight.data().iter().map(|&w| w as i8).collect();
                replace_npy(&path, sums.weight.shape(), &codes)?;
                let origin = model.nodes[at].weighted.map(|at| &model.origin.layers[at]);
                if origin.is_some_and(LayerOrigin::has_bias_codes) {
                    let codes: Vec<i32> = sums.bias.iter().map(|&b| b as i32).collect();
                    let path = folder.join(format!("{layer}.bias.npy"));
                    replace_npy(&path, &[codes.len()], &codes)?;
                }
            }
            _ => {}
        }
    }
    // Every probe is a stretch of layers, which all have a description.
    if let Some(description) = CaseDescription::new(trial, probe) {
        json(&folder.join(CASE), &description)?;
    }
    Ok(())
}

/// Codes in their type, accumulators as int32.
fn write_node(path: &Path, node: &Node, values: &Values) -> Result<(), FileError> {
    let (shape, data) = (values.shape(), values.data());
    match node.params.map(|params| dtype(params.grid)) {
        Some("uint8") => {
            let codes: Vec<u8> = data.iter().map(|&code| code as u8).collect();
            replace_npy(path, shape, &codes)
        }
        Some(_) => {
            let codes: Vec<i8> = data.iter().map(|&code| code as i8).collect();
            replace_npy(path, shape, &codes)
        }
        None => {
            let sums: Vec<i32> = data.iter().map(|&sum| sum as i32).collect();
            replace_npy(path, shape, &sums)
        }
    }
}

fn json(path: &Path, value: &impl serde::Serialize) -> Result<(), FolderError> {
    let text =
        serde_json::to_string_pretty(value).map_err(|error| FolderError::read(path, error))?;
    Ok(replace(path, format!("{text}\n").as_bytes())?)
}
