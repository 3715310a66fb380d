//! Every tensor as npy: codes and weights in one byte, accumulators and biases in four.

use fixtures::npy::parse;

use super::manifest::{Manifest, TensorEntry, with_manifest};
use super::{Array, Artifact, ExportError, Files, Format, Request, arrays};
use crate::dtype::Dtype;

pub(super) const FORMAT: Format = Format {
    name: "npy",
    what: "every tensor: weights, biases, layers before and after requantization, ReLU, pooling",
    next: "<tensor>.npy each, with the images along the first axis; manifest.txt lists them,\n\
           manifest.json says what their values mean. In Python:\n\n    \
           numpy.load('conv1.weight.npy')",
    make,
};

fn make(request: &Request) -> Result<Vec<Artifact>, ExportError> {
    let (mut tensors, mut artifacts) = (Vec::new(), Vec::new());
    for array in arrays(request, FORMAT.name)? {
        let path = format!("{}.npy", array.name);
        let values = array.values.iter().map(|&value| value.into());
        let bytes = array.dtype.npy(&array.shape, values)?;
        artifacts.push(Artifact::bytes(&path, bytes));
        tensors.push(TensorEntry::new(&array, &array.shape, path));
    }
    with_manifest(request, FORMAT.name, tensors, artifacts)
}

pub(super) fn decode(manifest: &Manifest, files: &Files) -> Result<Vec<Array>, String> {
    let read = |tensor: &TensorEntry| {
        let bytes = files.get(&tensor.file)?;
        let read = match tensor.dtype {
            Dtype::Int8 => parse::<i8>(bytes).map(|codes| codes.map(i32::from)),
            Dtype::Uint8 => parse::<u8>(bytes).map(|codes| codes.map(i32::from)),
            Dtype::Int32 => parse::<i32>(bytes),
        };
        let read = read.map_err(|error| format!("{}: {error}", tensor.file))?;
        if read.shape() != tensor.shape {
            return Err(format!(
                "{}: shape {:?}, the manifest says {:?}",
                tensor.file,
                read.shape(),
                tensor.shape
            ));
        }
        Ok(tensor.array(tensor.shape.clone(), read.into_data()))
    };
    manifest.tensors.iter().map(read).collect()
}
