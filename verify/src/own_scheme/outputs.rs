//! The tensors of a tool with its own scheme, as real values.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use fixtures::npy::numbers;
use reference::{Network, Op, Tensor};

use super::{OwnCodes, OwnScheme, OwnSchemeError};
use crate::backend::folder::plain;

/// What each layer was computed as, by its name; `input` is the quantized input.
pub type Reals = BTreeMap<String, Tensor<f64>>;

/// Reads `<layer>.npy` (codes) or `<layer>.real.npy` (real values) of `images` images; layers that
/// are not there are not judged.
///
/// # Errors
/// A file that is none, of another shape, that holds what is no code; or no file at all.
pub fn read_outputs<W>(
    folder: &Path,
    scheme: &OwnScheme,
    network: &Network<W>,
    images: usize,
) -> Result<Reals, OwnSchemeError> {
    let mut reals = Reals::new();
    let [c, h, w] = network.input().shape;
    let mut codes = scheme.input;
    if let Some(tensor) = tensor(folder, "input", &[images, c, h, w], &codes)? {
        reals.insert("input".into(), tensor);
    }
    for (layer, shape) in network.layers().iter().zip(network.shapes()) {
        if matches!(layer.op, Op::LogSoftmax) {
            continue;
        }
        if let Some(own) = scheme.layers.get(&layer.name) {
            codes = own.output;
        }
        let mut shape = shape.clone();
        shape[0] = images;
        if let Some(tensor) = tensor(folder, &layer.name, &shape, &codes)? {
            reals.insert(layer.name.clone(), tensor);
        }
    }
    match reals.keys().any(|name| name != "input") {
        true => Ok(reals),
        false => Err(OwnSchemeError::Nothing(folder.to_owned())),
    }
}

fn tensor(
    folder: &Path,
    name: &str,
    shape: &[usize],
    codes: &OwnCodes,
) -> Result<Option<Tensor<f64>>, OwnSchemeError> {
    for (file, is_real) in [
        (format!("{name}.npy"), false),
        (format!("{name}.real.npy"), true),
    ] {
        let path = folder.join(file);
        if (path.symlink_metadata()).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            continue;
        }
        let wrong = |why: String| OwnSchemeError::file(&path, why);
        let most = (shape.iter().product::<usize>() as u64).saturating_mul(8) + (64 << 10);
        let bytes = plain(&path, most).map_err(wrong)?;
        let read = numbers(&bytes)
            .map_err(|error| wrong(error.to_string()))?
            .values;
        if read.shape() != shape {
            let got = read.shape();
            return Err(wrong(format!("has shape {got:?}, expected {shape:?}")));
        }
        let (low, high) = (f64::from(codes.low), f64::from(codes.high));
        let is_code = |value: f64| value.fract() == 0.0 && (low..=high).contains(&value);
        let bad = |value: &f64| !value.is_finite() || (!is_real && !is_code(*value));
        if let Some(at) = read.data().iter().position(bad) {
            let (value, place) = (read.data()[at], read.position(at));
            return Err(wrong(match is_real {
                true => format!("holds {value} at {place:?}; expected finite values"),
                false => format!(
                    "holds {value} at {place:?}; expected codes {low} to {high}, or write the \
                     real values to {name}.real.npy"
                ),
            }));
        }
        return Ok(Some(match is_real {
            true => read,
            false => read.map(|code| codes.real(code)),
        }));
    }
    Ok(None)
}
