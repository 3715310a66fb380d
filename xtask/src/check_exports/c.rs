//! C99: every network, scheme and contract, compiled and run on committed images.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use quant::contracts::{self, ALL};
use rayon::prelude::*;
use verify::claims::argmax;
use verify::export::{Artifact, Options};
use verify::model::{GOLDEN, Model, ModelError, ModelScheme, Values};

use super::check::{Check, Need, Verdict};
use super::scratch::{Scratch, Subject};

pub(super) const CHECK: Check = Check {
    name: "c",
    what: "c: the compiled network gives the same codes and classes",
    needs: &[Need {
        program: "gcc",
        get: "on Debian `apt-get install gcc libc6-dev`",
    }],
    run,
};

/// What must not warn.
const FLAGS: &[&str] = &[
    "-std=c99",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-pedantic",
];

/// Run on all committed images; the others, and a damaged program, on [`FEW`].
const ON_ALL: [&str; 3] = [GOLDEN, "onnxruntime-qlinear", "litert-reference-conv"];

/// Images that a contract is run on that is not among [`ON_ALL`].
const FEW: usize = 50;

fn run(scratch: &Scratch) -> Result<Verdict> {
    let known = |name: &&str| *name == GOLDEN || contracts::find(name).is_some();
    if let Some(unknown) = ON_ALL.iter().find(|name| !known(name)) {
        bail!("there is no contract {unknown:?}");
    }
    let pairs: Vec<(&str, ModelScheme)> = (fixtures::NETWORKS.iter())
        .flat_map(|&network| ModelScheme::all().map(move |scheme| (network, scheme)))
        .collect();
    let found: Vec<Found> = (pairs.par_iter())
        .map(|&(network, scheme)| one(scratch, network, scheme))
        .collect::<Result<_>>()?;
    if let Some(differs) = found.iter().find_map(|found| found.differs.as_ref()) {
        return Ok(Verdict::Differs(differs.clone()));
    }
    let sum = |of: fn(&Found) -> usize| -> usize { found.iter().map(of).sum() };
    Ok(Verdict::Equal(format!(
        "{} programs, {} of them on every committed image, the others on {FEW}; {} contracts have no numbers for their network",
        sum(|found| found.programs),
        sum(|found| found.on_all),
        sum(|found| found.inexpressible),
    )))
}

/// What became of a network and scheme.
#[derive(Default)]
struct Found {
    programs: usize,
    on_all: usize,
    inexpressible: usize,
    differs: Option<String>,
}

/// The same pixels as the golden model takes them, and in a file.
struct Images {
    pixels: Values,
    bytes: PathBuf,
}

/// Golden, and every contract that has numbers for it.
fn one(scratch: &Scratch, network: &str, scheme: ModelScheme) -> Result<Found> {
    let mut subject = Subject::new(network, scheme, GOLDEN)?;
    let images = |name: &str, count: usize| -> Result<Images> {
        let pixels = subject.images.pixels.head(count);
        let bytes = scratch.path().join(format!("{network}-{scheme}.{name}"));
        std::fs::write(&bytes, pixels.data())?;
        let pixels = pixels.map(f64::from);
        Ok(Images { pixels, bytes })
    };
    let [all, few] = [images("all", usize::MAX)?, images("few", FEW)?];
    let options = Options {
        images: 2,
        ..Options::default()
    };
    let golden = subject.model.clone();
    let mut found = Found::default();
    let names = std::iter::once(GOLDEN).chain(ALL.iter().map(|contract| contract.name));
    for contract in names {
        subject.model = match golden.clone().with_contract(contract) {
            Ok(model) => model,
            Err(ModelError::Inexpressible { .. }) => {
                found.inexpressible += 1;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let name = format!("{network}, {scheme}, {contract}");
        scratch.step(&format!("c: {name}"));
        let on_all = ON_ALL.contains(&contract);
        let images = if on_all { &all } else { &few };
        let mut artifacts = subject.export("c", &options)?;
        let folder = format!("{network}-{scheme}-{contract}");
        let said = built(scratch, &folder, &artifacts, &images.bytes)?;
        found.differs = differs(&subject.model, &images.pixels, &said)?;
        if let Some(differs) = found.differs.take() {
            found.differs = Some(format!("{name}, {differs}"));
            return Ok(found);
        }
        found.programs += 1;
        found.on_all += usize::from(on_all);
        if contract == GOLDEN {
            damage(&mut artifacts)?;
            let said = built(
                scratch,
                &format!("{folder}-damaged"),
                &artifacts,
                &few.bytes,
            )?;
            if differs(&subject.model, &few.pixels, &said)?.is_none() {
                found.differs = Some(format!("{name}: a changed bias is not noticed"));
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// What the compiled self-test says of the images in a file.
fn built(scratch: &Scratch, name: &str, artifacts: &[Artifact], images: &Path) -> Result<String> {
    let folder = scratch.write(name, artifacts)?;
    let compiled = (Command::new("gcc").current_dir(&folder))
        .args(FLAGS)
        .args(["-o", "self_test", "self_test.c", "model.c"])
        .output()
        .context("cannot start gcc")?;
    if !compiled.status.success() {
        bail!("{name}: {}", String::from_utf8_lossy(&compiled.stderr));
    }
    let output = Command::new(folder.join("self_test"))
        .arg("-")
        .stdin(File::open(images)?)
        .output()
        .context("cannot start the self-test")?;
    if !output.status.success() {
        bail!("{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The first image whose class or output is another.
fn differs(model: &Model, pixels: &Values, said: &str) -> Result<Option<String>> {
    let trace = model.trace(pixels)?;
    let output = trace.last().context("no layer")?;
    let classes = argmax(output);
    if said.lines().count() != classes.len() {
        return Ok(Some(format!("{} answers", said.lines().count())));
    }
    for (image, (line, class)) in said.lines().zip(classes).enumerate() {
        let codes: Vec<String> = (output.item(image).iter())
            .map(|code| format!(" {code}"))
            .collect();
        let expected = format!("{class} :{} : ", codes.concat());
        if !line.starts_with(&expected) {
            return Ok(Some(format!("image {image}: {line} is not {expected}")));
        }
    }
    Ok(None)
}

/// Adds 1,000,000 to the first bias of the last layer.
fn damage(artifacts: &mut [Artifact]) -> Result<()> {
    let source = artifacts.iter_mut().find(|file| file.path == "model.c");
    let source = source.context("no model.c")?;
    let text = String::from_utf8(source.bytes.clone())?;
    let bias = text
        .rfind("static const int32_t bias_")
        .context("no bias")?;
    let (before, after) = text.split_at(bias);
    let (head, values) = after.split_once("{\n").context("no values")?;
    let (first, rest) = values.split_once(',').context("no value")?;
    let changed = first.trim().parse::<i64>()? + 1_000_000;
    *source = Artifact::text("model.c", format!("{before}{head}{{\n    {changed},{rest}"));
    Ok(())
}
