//! What a check is, and all of them.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::scratch::Scratch;
use crate::exit::environment;

/// An export in the hands of the tool that it is for.
#[derive(Clone, Copy)]
pub(crate) struct Check {
    /// As it is written on the command line.
    pub(super) name: &'static str,
    /// What is checked, in a line.
    pub(super) what: &'static str,
    /// Programs without which it cannot run.
    pub(super) needs: &'static [Need],
    /// An [`environment`] error says that this machine lacks something.
    pub(super) run: fn(&Scratch) -> Result<Verdict>,
}

/// Every check.
pub(super) const CHECKS: &[Check] = &[
    super::numpy::CHECK,
    super::verilog::CHECK,
    super::c::CHECK,
    super::cortex_m::CHECK,
];

/// What a check found, in a line.
pub(super) enum Verdict {
    /// How much was compared.
    Equal(String),
    /// What differs first, and where.
    Differs(String),
}

/// A program that a check calls.
pub(super) struct Need {
    /// As it is called.
    pub(super) program: &'static str,
    /// How to get it.
    pub(super) get: &'static str,
}

impl Need {
    /// Where it is.
    ///
    /// # Errors
    /// An [`environment`] error: it is nowhere on `PATH`.
    pub(super) fn check(&self) -> Result<PathBuf> {
        let Self { program, get } = self;
        found(program).ok_or_else(|| environment(format!("{program} is not installed; {get}")))
    }
}

/// Where `PATH` has this program.
fn found(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let there = std::env::split_paths(&path).map(|folder| folder.join(program));
    there.into_iter().find(|file| Path::is_file(file))
}
