//! What lies beside the tensors of an export: which model it is, where each tensor is, how the
//! layers follow one another. As JSON, and as a table to read.

mod table;

use serde::{Deserialize, Serialize};

use super::hex::Place;
use super::{Array, Artifact, ExportError, Kind, Request};
use crate::backend::folder::{LayerDescription, Pixels, layers};
use crate::dtype::Dtype;
use crate::model::{Arithmetic, Model, Step};

/// The file of the manifest.
pub const MANIFEST: &str = "manifest.json";

/// The same as a table to read.
pub const TABLE: &str = "manifest.txt";

/// The version of the manifest.
pub(super) const VERSION: u32 = 1;

/// Of an export. Scales are float64, written so that they read back to the bit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of the manifest.
    pub version: u32,
    /// The format of the tensors.
    pub format: String,
    /// The network.
    pub network: String,
    /// How it is quantized.
    pub scheme: String,
    /// What requantizes.
    pub contract: String,
    /// The same as a formula.
    pub requantization: String,
    /// How many images the tensors are of.
    pub images: usize,
    /// How pixels become codes.
    pub pixels: Option<Pixels>,
    /// In the order in which they are needed.
    pub tensors: Vec<TensorEntry>,
    /// In the order in which they run.
    pub layers: Vec<LayerDescription>,
    /// Every file but those of the manifest.
    pub files: Vec<FileEntry>,
}

/// Where a tensor is, and what its values mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TensorEntry {
    /// See [`Array`].
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The type of its values.
    pub dtype: Dtype,
    /// Of what is in one file.
    pub shape: Vec<usize>,
    /// The real size of a step, one or one an output channel; of pixels none.
    pub scales: Vec<f64>,
    /// What stands for 0, as many.
    pub zero_points: Vec<i32>,
    /// The file; with `{image}` or `{image:02}` in it one for each image, as Python's
    /// `str.format` puts the number there.
    pub file: String,
    /// Where in the file, if it is not the whole of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Below the folder of the export.
    pub path: String,
    /// How long it is.
    pub bytes: u64,
    /// Of its bytes.
    pub sha256: String,
}

impl TensorEntry {
    /// Of a tensor in this file; `shape` is that of what one file holds.
    pub(super) fn new(array: &Array, shape: &[usize], file: impl Into<String>) -> Self {
        Self {
            name: array.name.clone(),
            kind: array.kind,
            dtype: array.dtype,
            shape: shape.to_vec(),
            scales: array.scales.clone(),
            zero_points: array.zero_points.clone(),
            file: file.into(),
            place: None,
        }
    }

    /// The array that these values are.
    pub(super) fn array(&self, shape: Vec<usize>, values: Vec<i32>) -> Array {
        Array {
            name: self.name.clone(),
            kind: self.kind,
            dtype: self.dtype,
            shape,
            values,
            scales: self.scales.clone(),
            zero_points: self.zero_points.clone(),
        }
    }

    /// The file of an image.
    pub(super) fn file_of(&self, image: usize) -> String {
        image_file(&self.file, image)
    }
}

/// `pattern` with the number of the image in it.
pub(super) fn image_file(pattern: &str, image: usize) -> String {
    (pattern.replace("{image}", &image.to_string()))
        .replace("{image:02}", &format!("{image:02}"))
        .replace("{image:03}", &format!("{image:03}"))
}

/// The field of a number below `images`: at least two digits, all files alike.
pub(super) fn image_field(images: usize) -> &'static str {
    match images {
        ..=100 => "{image:02}",
        _ => "{image:03}",
    }
}

/// The files, and the manifest of them.
pub(super) fn with_manifest(
    request: &Request,
    format: &'static str,
    tensors: Vec<TensorEntry>,
    mut artifacts: Vec<Artifact>,
) -> Result<Vec<Artifact>, ExportError> {
    let (model, images) = (request.model, request.options.images);
    let entry = |name: &str| tensors.iter().find(|tensor| tensor.name == name);
    let file = |name: &str| entry(name).map_or_else(|| name.to_owned(), |entry| entry.file.clone());
    let layers = layers(model, 0..model.nodes.len(), images, &file).ok_or_else(|| {
        ExportError::Inexpressible {
            network: model.network.clone(),
            node: "a layer".into(),
            format,
            what: "a step that has no description".into(),
            mend: "export a model as it was quantized".into(),
        }
    })?;
    let pixels = match &model.nodes[0].step {
        Step::Quantize(quantize) => Some(Pixels::new(
            quantize,
            file("pixels"),
            &[&[images], &model.nodes[0].shape[1..]].concat(),
        )),
        _ => None,
    };
    let manifest = Manifest {
        version: VERSION,
        format: format.into(),
        network: model.network.clone(),
        scheme: model.scheme.name().into(),
        contract: model.contract.clone(),
        requantization: requantization(model),
        images,
        pixels,
        tensors,
        layers,
        files: (artifacts.iter())
            .map(|artifact| FileEntry {
                path: artifact.path.clone(),
                bytes: artifact.bytes.len() as u64,
                sha256: fixtures::sha256(&artifact.bytes),
            })
            .collect(),
    };
    let json = serde_json::to_string_pretty(&manifest).map_err(std::io::Error::other)?;
    artifacts.push(Artifact::text(MANIFEST, json + "\n"));
    artifacts.push(Artifact::text(TABLE, table::table(&manifest)));
    Ok(artifacts)
}

/// In words: of the first layer, as all have the same.
fn requantization(model: &Model) -> String {
    let arithmetic = model.nodes.iter().find_map(|node| match &node.step {
        Step::Requantize(requantize) => Some(&requantize.arithmetic),
        _ => None,
    });
    match arithmetic {
        Some(Arithmetic::Division(rounding)) => {
            format!("clamp(round(f32(acc) / f32(divisor)) + z): float32 division, {rounding:?}")
        }
        Some(Arithmetic::Product(rounding)) => {
            format!("clamp(round(acc * (s_W * s_I / s_O)) + z): float64 product, {rounding:?}")
        }
        Some(Arithmetic::Sq8(_, rounding)) => format!(
            "clamp((acc * mul_scale + 2^(mul_shift - 1)) >> mul_shift) in int32, {rounding:?}; z is \
             in the bias"
        ),
        Some(Arithmetic::Contract(contract)) => contract.formula.to_owned(),
        Some(Arithmetic::Other(_)) | None => "none".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_all_images_are_named_alike() {
        for (images, image, name) in [
            (1, 0, "golden00.hex"),
            (100, 99, "golden99.hex"),
            (101, 99, "golden099.hex"),
            (1000, 999, "golden999.hex"),
        ] {
            let pattern = format!("golden{}.hex", image_field(images));
            assert_eq!(image_file(&pattern, image), name);
        }
        assert_eq!(
            image_file("out_{image}_layer3.txt", 12),
            "out_12_layer3.txt"
        );
        assert_eq!(image_file("weights.hex", 12), "weights.hex");
    }
}
