//! Every tensor as text: one value a line, row-major, without its shape.
//!
//! `numpy.loadtxt(path, dtype=int).reshape(shape)` reads it, with the manifest's shape.

use serde::{Deserialize, Serialize};

use super::manifest::{Manifest, TensorEntry, with_manifest};
use super::{Array, Artifact, ExportError, Files, Format, Request, arrays};

pub(super) const FORMAT: Format = Format {
    name: "csv",
    what: "the same as text, one value a line",
    next: "<tensor>.csv each, one value a line; manifest.txt lists them with their shapes,\n\
           manifest.json says what their values mean. In Python:\n\n    \
           numpy.loadtxt('conv1.weight.csv', dtype=int).reshape(shape)",
    make,
};

/// How a value is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Numbers {
    /// `-128`.
    #[default]
    Integer,
    /// `-1.280000000000000000e+02`: what `numpy.savetxt` writes by itself.
    Scientific,
}

impl Numbers {
    fn text(self, value: i32) -> String {
        match self {
            Self::Integer => value.to_string(),
            Self::Scientific => {
                let text = format!("{:.18e}", f64::from(value));
                // C writes the exponent's sign, and two digits of it.
                let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                format!("{mantissa}e+{exponent:0>2}")
            }
        }
    }
}

fn make(request: &Request) -> Result<Vec<Artifact>, ExportError> {
    let numbers = request.options.csv;
    let (mut tensors, mut artifacts) = (Vec::new(), Vec::new());
    for array in arrays(request, FORMAT.name)? {
        let path = format!("{}.csv", array.name);
        let lines = array.values.iter().map(|&value| numbers.text(value) + "\n");
        artifacts.push(Artifact::text(&path, lines.collect::<String>()));
        tensors.push(TensorEntry::new(&array, &array.shape, path));
    }
    with_manifest(request, FORMAT.name, tensors, artifacts)
}

pub(super) fn decode(manifest: &Manifest, files: &Files) -> Result<Vec<Array>, String> {
    let read = |tensor: &TensorEntry| {
        let lines = files.text(&tensor.file)?.lines();
        let values = integers(lines, tensor)?;
        Ok(tensor.array(tensor.shape.clone(), values))
    };
    manifest.tensors.iter().map(read).collect()
}

/// As many integers as the tensor has, each within its type; `%.18e` of one is one.
pub(super) fn integers<'a>(
    texts: impl Iterator<Item = &'a str>,
    tensor: &TensorEntry,
) -> Result<Vec<i32>, String> {
    let range = tensor.dtype.range();
    let integer = |(at, text): (usize, &str)| {
        let value: f64 = text
            .trim()
            .parse()
            .map_err(|_| format!("{text:?}, value {at}, is no number"))?;
        match value as i32 {
            integer if f64::from(integer) == value && range.contains(&integer) => Ok(integer),
            _ => Err(format!(
                "{text:?}, value {at}, is no {}",
                tensor.dtype.name()
            )),
        }
    };
    let values: Result<Vec<i32>, String> = texts.enumerate().map(integer).collect();
    let name = &tensor.file;
    let values = values.map_err(|why| format!("{name}: {why}"))?;
    match super::read::volume(&tensor.shape) {
        Some(expected) if expected == values.len() => Ok(values),
        _ => Err(format!(
            "{name}: {} values, the manifest says shape {:?}",
            values.len(),
            tensor.shape
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What C's printf makes of them with %d and %.18e.
    #[test]
    fn numbers_by_hand() {
        for (value, integer, scientific) in [
            (-127, "-127", "-1.270000000000000000e+02"),
            (8, "8", "8.000000000000000000e+00"),
            (0, "0", "0.000000000000000000e+00"),
            (-30, "-30", "-3.000000000000000000e+01"),
            (i32::MIN, "-2147483648", "-2.147483648000000000e+09"),
            (i32::MAX, "2147483647", "2.147483647000000000e+09"),
        ] {
            assert_eq!(Numbers::Integer.text(value), integer);
            assert_eq!(Numbers::Scientific.text(value), scientific);
        }
    }
}
