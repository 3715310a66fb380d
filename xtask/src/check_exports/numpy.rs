//! NumPy reads every tensor: its type, its shape, every value.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use verify::export::{Dump, Options, Request};
use verify::model::{GOLDEN, ModelScheme};

use super::check::{Check, Verdict};
use super::scratch::{Scratch, Subject};

pub(super) const CHECK: Check = Check {
    name: "numpy",
    what: "npy: NumPy reads the same values",
    needs: &[],
    run,
};

/// Prints what it reads as JSON.
const READ: &str = "\
import json, pathlib, sys
import numpy
read = {}
for path in pathlib.Path(sys.argv[1]).rglob('*.npy'):
    values = numpy.load(path)
    name = path.relative_to(sys.argv[1]).with_suffix('').as_posix()
    read[name] = [str(values.dtype), list(values.shape), values.ravel().tolist()]
print(json.dumps(read))
";

/// Type, shape, values.
#[derive(Debug, Deserialize, PartialEq)]
struct Array(String, Vec<usize>, Vec<f64>);

type Arrays = std::collections::BTreeMap<String, Array>;

fn run(scratch: &Scratch) -> Result<Verdict> {
    let python = crate::python::with_numpy()?;
    let read = |folder: &Path| -> Result<Arrays> {
        let folder = folder.to_str().context("the temporary folder is no text")?;
        let output = scratch.call(&python, &["-c", READ, folder])?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    };
    let options = Options { images: 2 };
    let mut compared = 0;
    for scheme in [ModelScheme::MaxAbs, ModelScheme::Asymmetric] {
        let subject = Subject::new("lab-bias", scheme, GOLDEN)?;
        let mut artifacts = subject.export("npy", &options)?;
        let whole = read(&scratch.write(&format!("{scheme}"), &artifacts)?)?;
        let expected = expected(&subject, &options)?;
        for (name, array) in &expected {
            if whole.get(name) != Some(array) {
                return Ok(Verdict::Differs(format!("{scheme}: {name}.npy")));
            }
            compared += array.2.len();
        }
        let Some(last) = artifacts.iter_mut().find(|file| file.path == "fc3.npy") else {
            bail!("no fc3.npy");
        };
        if let Some(byte) = last.bytes.last_mut() {
            *byte ^= 1;
        }
        if read(&scratch.write(&format!("{scheme}-damaged"), &artifacts)?)?["fc3"]
            == expected["fc3"]
        {
            return Ok(Verdict::Differs("a changed value is not noticed".into()));
        }
    }
    Ok(Verdict::Equal(format!("{compared} values")))
}

/// What it should read.
fn expected(subject: &Subject, options: &Options) -> Result<Arrays> {
    let dump = Dump::new(&Request {
        model: &subject.model,
        images: &subject.images,
        options,
    })?;
    let array = |layer: verify::export::Layer| {
        let dtype = match (layer.is_accumulators, layer.is_signed) {
            (true, _) => "int32",
            (_, true) => "int8",
            (_, false) => "uint8",
        };
        let shape = layer.values.shape().to_vec();
        (
            layer.name,
            Array(dtype.into(), shape, layer.values.into_data()),
        )
    };
    Ok(dump.layers.into_iter().map(array).collect())
}
