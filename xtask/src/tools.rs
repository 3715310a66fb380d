//! The heavy runs: mutation testing and fuzzing, by tools of their own.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::exit::{Exit, environment};
use crate::python::{call, root};

#[derive(Args)]
pub(crate) struct MutantsArguments {
    /// The crates; all that compute, if none is named.
    #[arg(value_name = "CRATE")]
    crates: Vec<String>,
}

/// `cargo mutants` in place; exit code 1 if a mutant survived.
pub(crate) fn mutants(arguments: &MutantsArguments) -> Result<Exit> {
    let mut crates = arguments.crates.clone();
    if crates.is_empty() {
        crates = ["reference", "quant", "kernels", "fixtures"]
            .map(str::to_owned)
            .to_vec();
    }
    let mut command = Command::new("cargo");
    command.current_dir(root()).args(["mutants", "--in-place"]);
    for name in crates {
        command.args(["--package", &name]);
    }
    need("mutants")?;
    let status = command.status()?;
    Ok(if status.success() {
        Exit::Equal
    } else {
        Exit::Mismatch
    })
}

#[derive(Args)]
pub(crate) struct FuzzArguments {
    /// How long.
    #[arg(long, default_value_t = 600)]
    seconds: u32,
}

/// `cargo fuzz` on the stable toolchain, without a sanitizer (the crate has no unsafe code).
pub(crate) fn fuzz(arguments: &FuzzArguments) -> Result<Exit> {
    need("fuzz")?;
    let mut command = Command::new("cargo");
    command.current_dir(root().join("fixtures")).args([
        "fuzz",
        "run",
        "--sanitizer",
        "none",
        "npy",
    ]);
    command.args(["fuzz/corpus/npy", "fuzz/seeds/npy"]);
    std::fs::create_dir_all(root().join("fixtures/fuzz/corpus/npy"))?;
    command.args(["--", "-timeout=1", "-rss_limit_mb=512"]);
    call(command.arg(format!("-max_total_time={}", arguments.seconds)))?;
    Ok(Exit::Equal)
}

fn need(tool: &str) -> Result<()> {
    let found = Command::new("cargo").args([tool, "--version"]).output();
    match found {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err(environment(format!(
            "cargo-{tool} is not installed; get it with `cargo install --locked cargo-{tool}`"
        ))),
    }
}
