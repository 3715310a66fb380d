//! `cargo xtask report`: ranges, schemes and bit widths, measured.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use fixtures::Fixtures;
use indicatif::{ProgressBar, ProgressStyle};
use verify::VerifyError;
use verify::study::{self, STEPS, StudyOptions, render, study};

use crate::exit::Exit;
use crate::files::{make, replace};

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
    #[arg(long, value_enum, default_value_t = Executor::Kernels)]
    executor: Executor,
    /// Where report.html, report.md, report.json and the saved models go.
    #[arg(long, value_name = "DIR", default_value = "target/report")]
    out: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Executor {
    /// The kernels of this CPU, or of `KARAT_ISA`.
    Kernels,
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
    let unknown = |name: &&String| !fixtures::NETWORKS.contains(&name.as_str());
    if let Some(name) = networks.iter().find(unknown) {
        return Err(VerifyError::UnknownNetwork { name: name.clone() }.into());
    }
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
            Executor::Kernels => study::Executor::Kernels(kernels::dispatch::select()?),
            Executor::Golden => study::Executor::Golden,
            Executor::ExactInFloats => study::Executor::Floats,
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
    clear(&models)?;
    for network in &measured.networks {
        for row in &network.storage {
            let name = format!("{}.{}.safetensors", network.name, row.stored);
            replace(&models.join(name), &row.saved)?;
        }
    }
    anstream::println!("{}", models.display());
    match measured.unexplained() {
        None => Ok(Exit::Equal),
        Some(place) => {
            anstream::eprintln!(
                "a simulated code is not PyTorch's, and float32 is no reason: {place}"
            );
            Ok(Exit::Mismatch)
        }
    }
}

/// Takes away the models of an earlier report.
fn clear(models: &Path) -> Result<()> {
    let cannot = || format!("cannot clear {}", models.display());
    for entry in fs::read_dir(models).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let ours = |network: &str| name.starts_with(&format!("{network}."));
        if name.ends_with(".safetensors") && fixtures::NETWORKS.iter().any(|n| ours(n)) {
            fs::remove_file(&path).with_context(cannot)?;
        }
    }
    Ok(())
}
