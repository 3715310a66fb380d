//! `cargo xtask contracts`: what each contract computes, and how often two of them differ.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use quant::contracts::{ALL, Contract, find};
use verify::matrix::{self, Matrix};

use crate::exit::Exit;
use crate::files::{make, replace};

#[derive(Args)]
pub(crate) struct Arguments {
    /// How many multipliers each population has; each makes two channels, of zero point 0 and −3.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=65536))]
    channels: u32,
    /// One contract: its formula in words and LaTeX, what it equals, where it is from.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["channels", "out"])]
    name: Option<String>,
    /// Also write contracts.html, contracts.md and contracts.json there.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints it, or writes it and says where.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    if let Some(name) = &arguments.name {
        anstream::print!("{}", matrix::one(named(name)?));
        return Ok(Exit::Equal);
    }
    if let Some(folder) = &arguments.out {
        make(folder)?;
    }
    let measured = Matrix::measure(arguments.channels);
    anstream::print!("{}", matrix::terminal(&measured));
    let Some(folder) = &arguments.out else {
        return Ok(Exit::Equal);
    };
    let pages = [
        ("contracts.html", matrix::html(&measured)?),
        ("contracts.md", matrix::markdown(&measured)),
        ("contracts.json", matrix::json(&measured)),
    ];
    anstream::println!();
    for (name, text) in pages {
        let path = folder.join(name);
        replace(&path, text.as_bytes())?;
        anstream::println!("{}", path.display());
    }
    Ok(Exit::Equal)
}

fn named(name: &str) -> Result<&'static Contract> {
    match find(name) {
        Some(contract) => Ok(contract),
        None => {
            let names: Vec<&str> = ALL.iter().map(|contract| contract.name).collect();
            bail!(
                "there is no contract {name:?}; there are {}",
                names.join(", ")
            )
        }
    }
}
