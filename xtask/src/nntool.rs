//! `cargo xtask nntool`: one file a verb.

mod explain;
mod qsnr;

use anyhow::Result;
use clap::Subcommand;

use crate::exit::Exit;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Explain a network's fusions, its calibration and its output scales.
    Explain(explain::Arguments),
    /// Print how near each layer of an integer network lies to the float one, in decibels.
    Qsnr(qsnr::Arguments),
}

pub(crate) fn run(command: &Command) -> Result<Exit> {
    match command {
        Command::Explain(arguments) => explain::run(arguments),
        Command::Qsnr(arguments) => qsnr::run(arguments),
    }
}
