//! The process that loads a C library of `verify/include/karat.h`: a backend that reads the
//! cases of a folder and writes outputs, as any other.
//!
//! What the library does to this process, it does to nothing else.

mod abi;
mod case;
mod chain;
#[allow(unsafe_code)] // the only place
mod library;

use std::path::PathBuf;

use ::verify::backend::folder::{CASES, CaseDescription};
use anyhow::{Context, Result, bail};
use clap::Args;

use crate::exit::Exit;
use library::Library;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The library.
    library: PathBuf,
    /// The folder with the cases.
    folder: PathBuf,
}

/// Every case that the folder holds, one after the other; what is left out is said on stderr.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let library = Library::open(&arguments.library)?;
    let cases = arguments.folder.join(CASES);
    let mut names: Vec<_> = std::fs::read_dir(&cases)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .with_context(|| format!("reading {}", cases.display()))?;
    names.sort();
    if names.is_empty() {
        bail!("{} holds no case", cases.display());
    }
    for folder in names {
        let case = CaseDescription::read(&folder)?;
        let left_out = chain::run(&library, &case, &folder, &arguments.folder)
            .with_context(|| format!("case {}", case.case))?;
        if let Some(why) = left_out {
            eprintln!("case {}: {why}", case.case);
        }
    }
    Ok(Exit::Equal)
}
