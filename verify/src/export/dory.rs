//! What PULP DORY reads beside a network: the codes of its input and of each of its layers, one a
//! line with a comma after it, channels last, and the sums of their bytes.
//!
//! ```text
//! input.txt, out_layer0.txt …        of one image
//! input_0.txt, out_0_layer0.txt …    of image 0 of several
//! checksums.json                     of each layer: weights and biases, inputs, outputs
//! ```
//!
//! A layer is what DORY fuses: a weighted layer with the ReLU after it, or a pool. A sum is that
//! of the bytes as they are in memory: int8 as uint8, a bias as four.

use std::fmt::Write;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::csv::integers;
use super::manifest::{Manifest, TensorEntry, image_file, with_manifest};
use super::{Array, Artifact, ExportError, Files, Format, Request, arrays};
use crate::model::{Model, Step};

pub(super) const FORMAT: Format = Format {
    name: "dory",
    what: "golden activations as PULP DORY reads them, with checksums",
    next: "input*.txt and out_*layer<i>.txt, channels last, and checksums.json; manifest.txt says which\n\
           layer of the network each is. Put the .txt files beside the ONNX file that DORY is given.",
    make,
};

/// The file of the sums.
pub const CHECKSUMS: &str = "checksums.json";

/// The sums of a layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checksums {
    /// Its number: that of its `out_layer<i>.txt`.
    pub layer: usize,
    /// The layers of the network that it is.
    pub of: Vec<String>,
    /// Of weights and biases.
    pub weights: u64,
    /// Of what it is given, for each image.
    pub inputs: Vec<u64>,
    /// Of what it gives, for each image.
    pub outputs: Vec<u64>,
}

fn make(request: &Request) -> Result<Vec<Artifact>, ExportError> {
    let (model, images) = (request.model, request.options.images);
    let arrays = arrays(request, FORMAT.name)?;
    let array = |name: &str| arrays.iter().find(|array| array.name == name);
    let mut tensors = Vec::new();
    let mut artifacts = Vec::new();
    let mut write = |array: &Array, pattern: String| {
        for image in 0..images {
            let text = text(array.item(image), array.item_shape());
            artifacts.push(Artifact::text(image_file(&pattern, image), text));
        }
        tensors.push(TensorEntry::new(array, array.item_shape(), pattern));
    };
    let mut before = array("input");
    if let Some(input) = before {
        write(input, file(images, "input", ""));
    }
    let mut checksums = Vec::new();
    for (number, nodes) in layers(model).into_iter().enumerate() {
        let of: Vec<String> = model.nodes[nodes.clone()]
            .iter()
            .filter(|node| !node.is_accumulators())
            .map(|node| node.name.clone())
            .collect();
        let output = of.last().and_then(|name| array(name));
        let (Some(output), Some(input)) = (output, before) else {
            continue;
        };
        write(output, file(images, "out", &format!("_layer{number}")));
        let parameters = of.iter().flat_map(|name| {
            [
                array(&format!("{name}.weight")),
                array(&format!("{name}.bias")),
            ]
        });
        checksums.push(Checksums {
            layer: number,
            weights: parameters.flatten().map(|array| byte_sum(array, 0)).sum(),
            of,
            inputs: (0..images).map(|image| byte_sum(input, image)).collect(),
            outputs: (0..images).map(|image| byte_sum(output, image)).collect(),
        });
        before = Some(output);
    }
    let json = serde_json::to_string_pretty(&checksums).map_err(std::io::Error::other)?;
    artifacts.push(Artifact::text(CHECKSUMS, json + "\n"));
    with_manifest(request, FORMAT.name, tensors, artifacts)
}

/// `input.txt` and `out_layer0.txt` of one image, `input_0.txt` and `out_0_layer0.txt` of several.
fn file(images: usize, start: &str, end: &str) -> String {
    match images {
        1 => format!("{start}{end}.txt"),
        _ => format!("{start}_{{image}}{end}.txt"),
    }
}

/// The nodes of each layer. Flattening is none: it moves nothing.
fn layers(model: &Model) -> Vec<Range<usize>> {
    let nodes = &model.nodes;
    let mut layers: Vec<Range<usize>> = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        match node.step {
            Step::Quantize(_) | Step::Flatten(_) | Step::Requantize(_) => {}
            Step::Accumulate(_) => layers.push(at..at + 2),
            Step::Relu { .. } => match layers.last_mut() {
                Some(last) if last.end == at && last.len() == 2 => last.end += 1,
                _ => layers.push(at..at + 1),
            },
            _ => layers.push(at..at + 1),
        }
    }
    layers
}

/// Channels last, as the kernels of PULP-NN have them.
fn text(values: &[i32], shape: &[usize]) -> String {
    let mut text = String::new();
    for at in channels_last(shape) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{},", values[at]);
    }
    text
}

/// Where each value of the order (y, x, c) is in that of (c, y, x).
fn channels_last(shape: &[usize]) -> Vec<usize> {
    let (channels, plane) = match *shape {
        [channels, height, width] => (channels, height * width),
        _ => (1, shape.iter().product()),
    };
    (0..plane)
        .flat_map(|at| (0..channels).map(move |channel| channel * plane + at))
        .collect()
}

/// The sum of the bytes of an image's values; of parameters of all.
fn byte_sum(array: &Array, image: usize) -> u64 {
    let bytes = array.dtype.bits() as usize / 8;
    let bytes_of = |value: &i32| value.to_le_bytes().into_iter().take(bytes);
    array
        .item(image)
        .iter()
        .flat_map(bytes_of)
        .map(u64::from)
        .sum()
}

pub(super) fn decode(manifest: &Manifest, files: &Files) -> Result<Vec<Array>, String> {
    manifest
        .tensors
        .iter()
        .map(|tensor| read(tensor, manifest.images, files))
        .collect()
}

fn read(tensor: &TensorEntry, images: usize, files: &Files) -> Result<Array, String> {
    let mut values = Vec::new();
    for image in 0..images {
        let name = tensor.file_of(image);
        let mut lines = Vec::new();
        for line in files.text(&name)?.lines() {
            let line = line.strip_suffix(',');
            lines.push(line.ok_or_else(|| format!("{name}: a line without a comma at its end"))?);
        }
        let read = integers(lines.into_iter(), tensor)?;
        let mut image = vec![0; read.len()];
        for (at, value) in channels_last(&tensor.shape).into_iter().zip(read) {
            image[at] = value;
        }
        values.append(&mut image);
    }
    let shape = [&[images], &tensor.shape[..]].concat();
    Ok(tensor.array(shape, values))
}
