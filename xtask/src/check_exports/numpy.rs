//! NumPy reads every tensor of npy and csv: its type, its shape, every value.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use verify::export::csv::Numbers;
use verify::export::{Options, arrays};
use verify::model::{GOLDEN, ModelScheme};

use super::check::{Check, Verdict};
use super::scratch::{Scratch, Subject, call};

pub(super) const CHECK: Check = Check {
    name: "numpy",
    what: "npy, csv: NumPy reads the same values",
    needs: &[],
    run,
};

/// Prints what it reads as JSON.
const READ: &str = "\
import json, pathlib, sys
import numpy
read = {}
for path in pathlib.Path(sys.argv[1]).iterdir():
    if path.suffix == '.npy':
        values = numpy.load(path)
    elif path.suffix == '.csv':
        values = numpy.loadtxt(path, ndmin=1)
    else:
        continue
    read[path.stem] = [str(values.dtype), list(values.shape), values.ravel().tolist()]
print(json.dumps(read))
";

/// Type, shape, values.
#[derive(Debug, Deserialize, PartialEq)]
struct Array(String, Vec<usize>, Vec<f64>);

type Arrays = BTreeMap<String, Array>;

fn run(scratch: &Scratch) -> Result<Verdict> {
    let python = crate::python::with_numpy()?;
    let read = |folder: &Path| -> Result<Arrays> {
        let text = folder.to_str().context("the temporary folder is no text")?;
        let output = call(folder, &python, &["-c", READ, text])?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    };
    let mut compared = 0;
    for (format, csv, scheme) in [
        ("npy", Numbers::Integer, ModelScheme::MaxAbs),
        ("npy", Numbers::Integer, ModelScheme::Asymmetric),
        ("csv", Numbers::Integer, ModelScheme::PerChannel),
        (
            "csv",
            Numbers::Scientific,
            ModelScheme::PerChannelAsymmetric,
        ),
    ] {
        let subject = Subject::new("lab-bias", scheme, GOLDEN)?;
        let options = Options {
            images: 2,
            csv,
            ..Options::default()
        };
        let mut artifacts = subject.export(format, &options)?;
        let expected = expected(&subject, &options, format)?;
        let whole = read(&scratch.write(&format!("{format}-{scheme}"), &artifacts)?)?;
        if let Some(name) = differing(&whole, &expected) {
            return Ok(Verdict::Differs(format!("{format}, {scheme}: {name}")));
        }
        compared += expected.values().map(|array| array.2.len()).sum::<usize>();
        // The last bit of a value, the last digit of a number.
        let file = format!("fc3.{format}");
        let artifact = artifacts.iter_mut().find(|artifact| artifact.path == file);
        let bytes = &mut artifact.context("no fc3")?.bytes;
        let at = bytes.len() - if format == "npy" { 1 } else { 2 };
        bytes[at] ^= 1;
        let damaged = read(&scratch.write(&format!("{format}-{scheme}-damaged"), &artifacts)?)?;
        if differing(&damaged, &expected).as_deref() != Some("fc3") {
            return Ok(Verdict::Differs(format!(
                "a changed value of {file} is not noticed"
            )));
        }
    }
    Ok(Verdict::Equal(format!("{compared} values")))
}

/// The first tensor that is not what it should be; all must be there, and no other.
fn differing(read: &Arrays, expected: &Arrays) -> Option<String> {
    let names = expected.keys().chain(read.keys());
    names
        .into_iter()
        .find(|name| read.get(*name) != expected.get(*name))
        .cloned()
}

/// What it should read: of csv no type and no shape.
fn expected(subject: &Subject, options: &Options, format: &str) -> Result<Arrays> {
    let array = |array: verify::export::Array| {
        let values: Vec<f64> = array.values.iter().map(|&value| value.into()).collect();
        let (dtype, shape) = match format {
            "npy" => (array.dtype.name(), array.shape),
            _ => ("float64", vec![values.len()]),
        };
        (array.name, Array(dtype.into(), shape, values))
    };
    let arrays = arrays(&subject.request(options), "npy")?;
    Ok(arrays.into_iter().map(array).collect())
}
