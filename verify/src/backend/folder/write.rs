//! A trial to a folder.

use std::path::Path;

use reference::Tensor;

use super::description::{CaseDescription, TrialDescription, file_of};
use super::{CASE, CASES, FolderError, OUTPUTS, TRIAL};
use crate::backend::{Probe, Trial};
use crate::dtype::Dtype;
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
                write_values(&folder.join("pixels.npy"), Dtype::Uint8, &probe.input)?;
            }
            Step::Accumulate(sums) => {
                let layer = model.nodes[at].layer();
                let path = folder.join(format!("{layer}.weight.npy"));
                write_values(&path, Dtype::Int8, &sums.weight)?;
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
    write_values(path, Dtype::of_node(node), values)
}

fn write_values(
    path: &Path,
    dtype: Dtype,
    values: &Tensor<impl Copy + Into<f64>>,
) -> Result<(), FileError> {
    let values_of = values.data().iter().map(|&value| value.into());
    let bytes = dtype
        .npy(values.shape(), values_of)
        .map_err(|source| FileError {
            path: path.to_owned(),
            source,
        })?;
    replace(path, &bytes)
}

fn json(path: &Path, value: &impl serde::Serialize) -> Result<(), FolderError> {
    let text =
        serde_json::to_string_pretty(value).map_err(|error| FolderError::read(path, error))?;
    Ok(replace(path, format!("{text}\n").as_bytes())?)
}
