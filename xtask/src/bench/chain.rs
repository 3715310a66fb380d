//! A workload as files that every peer reads: `workload.json` and the arrays it names.
//!
//! Scales are of the absolute convention, which is what the peers compute in: a tensor's scale is
//! the real size of one step, and a layer multiplies by `s_I · s_W / s_O`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use quant::QuantWeights;
use reference::{Op, PoolGeometry};
use serde::Serialize;

use super::workload::{Kind, Workload};

#[derive(Serialize)]
struct Chain<'a> {
    name: &'a str,
    kind: Kind,
    threads: usize,
    input: Array,
    input_scale: f64,
    layers: Vec<Entry>,
}

/// Little-endian values of a file of their own.
#[derive(Serialize)]
struct Array {
    file: String,
    shape: Vec<usize>,
}

#[derive(Serialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum Entry {
    Conv2d {
        #[serde(flatten)]
        weights: Weights,
        stride: [usize; 2],
        padding: [usize; 2],
        groups: usize,
    },
    Linear {
        #[serde(flatten)]
        weights: Weights,
    },
    #[serde(rename = "max_pool2d")]
    MaxPool2d {
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    },
    Flatten,
}

#[derive(Serialize)]
struct Weights {
    weight: Array,
    bias: Option<Array>,
    weight_scale: f64,
    output_scale: f64,
    relu: bool,
}

/// Writes the workload into an existing folder.
///
/// # Errors
/// An operator that peers are not asked for, or a file that cannot be written.
pub(crate) fn write(workload: &Workload, folder: &Path) -> Result<()> {
    let network = &workload.network;
    let mut scale = network.input_scale().wide();
    let mut entries: Vec<Entry> = Vec::new();
    for layer in network.network().layers() {
        let name = &layer.name;
        let entry = match &layer.op {
            Op::Conv2d { geometry, weights } => {
                if geometry.dilation != [1, 1] {
                    bail!("{name}: peers are not asked for a dilation");
                }
                Entry::Conv2d {
                    weights: parameters(folder, name, weights, &mut scale)?,
                    stride: geometry.stride,
                    padding: geometry.padding,
                    groups: geometry.groups,
                }
            }
            Op::Linear { weights } => Entry::Linear {
                weights: parameters(folder, name, weights, &mut scale)?,
            },
            Op::Relu => match entries.last_mut() {
                Some(Entry::Conv2d { weights, .. } | Entry::Linear { weights }) => {
                    weights.relu = true;
                    continue;
                }
                _ => bail!("{name}: peers are asked for a ReLU after weights only"),
            },
            Op::MaxPool2d(PoolGeometry {
                kernel,
                stride,
                padding,
            }) => Entry::MaxPool2d {
                kernel: *kernel,
                stride: *stride,
                padding: *padding,
            },
            Op::Flatten => Entry::Flatten,
            Op::AveragePool2d(_) | Op::LogSoftmax => {
                bail!("{name}: peers are not asked for this operator")
            }
        };
        entries.push(entry);
    }
    let chain = Chain {
        name: &workload.spec.name,
        kind: workload.spec.kind(),
        threads: workload.spec.threads,
        input: array(
            folder,
            "input",
            workload.input.shape(),
            bytes(workload.input.data()),
        )?,
        input_scale: network.input_scale().wide(),
        layers: entries,
    };
    save(
        &folder.join("workload.json"),
        &serde_json::to_vec_pretty(&chain)?,
    )
}

/// `scale` is that of the layer's input, and of its output afterwards.
fn parameters(
    folder: &Path,
    name: &str,
    weights: &QuantWeights,
    scale: &mut f64,
) -> Result<Weights> {
    let weight_scale = weights.weight_scale.wide();
    *scale *= weight_scale * weights.output_scale.wide();
    let bias = (weights.bias.as_ref()).map(|bias| {
        let values = bias.iter().flat_map(|value| value.to_le_bytes()).collect();
        array(folder, &format!("{name}.bias"), &[bias.len()], values)
    });
    Ok(Weights {
        weight: array(
            folder,
            &format!("{name}.weight"),
            weights.weight.shape(),
            bytes(weights.weight.data()),
        )?,
        bias: bias.transpose()?,
        weight_scale,
        output_scale: *scale,
        relu: false,
    })
}

fn array(folder: &Path, name: &str, shape: &[usize], bytes: Vec<u8>) -> Result<Array> {
    let file = format!("{name}.bin");
    save(&folder.join(&file), &bytes)?;
    Ok(Array {
        file,
        shape: shape.to_vec(),
    })
}

fn bytes(codes: &[i8]) -> Vec<u8> {
    codes.iter().map(|&code| code.cast_unsigned()).collect()
}

fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::super::workload;
    use super::*;

    #[test]
    fn a_network_is_written_with_fused_relu_and_absolute_scales() {
        let folder = tempfile::tempdir().unwrap();
        let spec = workload::all()
            .into_iter()
            .find(|spec| spec.name == "lab-b1");
        write(&spec.unwrap().make().unwrap(), folder.path()).unwrap();
        let text = fs::read_to_string(folder.path().join("workload.json")).unwrap();
        insta::assert_snapshot!(text);
        let weight = fs::read(folder.path().join("fc1.weight.bin")).unwrap();
        assert_eq!(weight.len(), 120 * 400);
    }
}
