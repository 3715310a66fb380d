//! `cargo xtask report`: ranges, schemes and bit widths, measured.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use fixtures::Fixtures;
use indicatif::{ProgressBar, ProgressStyle};
use quant::affine::executor;
use verify::study::{STEPS, StudyOptions, render, study};

use crate::exit::Exit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// One network; all, if none is named.
    #[arg(long, value_name = "NAME")]
    network: Option<String>,
    /// The folder with mnist/ and cifar-10-batches-bin/: all 10,000 test images instead of
    /// the 1,000 committed ones.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// At most so many test images.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    images: Option<u64>,
    /// n·σ ranges no wider than the data; else they are kept as they are.
    #[arg(long)]
    cap_sigma: bool,
    /// What runs the integer networks: the same codes, at another speed.
    #[arg(long, value_enum, default_value_t = Executor::ExactInFloats)]
    executor: Executor,
    /// Where report.html, report.md, report.json and the saved models go.
    #[arg(long, value_name = "DIR", default_value = "target/report")]
    out: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Executor {
    /// The golden interpreter, in int64.
    Golden,
    /// Integers in floats that hold them exactly.
    ExactInFloats,
}

/// Writes the report and says where.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let networks = match &arguments.network {
        Some(name) => vec![name.clone()],
        None => fixtures::NETWORKS.map(str::to_owned).to_vec(),
    };
    let style = ProgressStyle::with_template("{bar:40} {percent} % {msg} ({elapsed}, {eta} left)");
    let bar = ProgressBar::new(STEPS * networks.len() as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let progress = |what: &str, steps: u64| {
        bar.set_message(what.to_owned());
        bar.inc(steps);
    };
    let options = StudyOptions {
        fixtures: Fixtures::committed_root(),
        networks,
        data: arguments.data.clone(),
        images: arguments.images.map(|count| count as usize),
        executor: match arguments.executor {
            Executor::Golden => executor::golden,
            Executor::ExactInFloats => executor::exact_in_floats,
        },
        cap_sigma: arguments.cap_sigma,
    };
    make(&arguments.out)?;
    let measured = study(&options, &progress)?;
    bar.finish_and_clear();
    let pages = [
        ("report.html", render::html(&measured)?),
        ("report.md", render::markdown(&measured)),
        ("report.json", render::json(&measured)),
    ];
    for (name, text) in pages {
        let path = arguments.out.join(name);
        replace(&path, text.as_bytes())?;
        anstream::println!("{}", path.display());
    }
    let models = arguments.out.join("models");
    make(&models)?;
    for network in &measured.networks {
        for row in &network.storage {
            let name = format!("{}.{}.safetensors", network.name, row.stored);
            replace(&models.join(name), &row.saved)?;
        }
    }
    anstream::println!("{}", models.display());
    Ok(match measured.is_explained() {
        true => Exit::Equal,
        false => Exit::Mismatch,
    })
}

fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// Writes beside the file and then takes its place, so that no half of it is ever seen.
fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.persist(path)?;
        Ok::<_, std::io::Error>(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
