//! `cargo xtask nntool`: one file a verb.

mod adjust;
mod compare;
mod explain;
mod fusions;
mod import;
mod qsnr;
mod table;

use anyhow::Result;
use clap::Subcommand;

use crate::exit::Exit;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Bring a network into the order of axes that the target works in.
    Adjust(adjust::Arguments),
    /// Fuse what one kernel of the target computes.
    Fusions(fusions::Arguments),
    /// Explain a network's fusions, its calibration and its output scales.
    Explain(explain::Arguments),
    /// Hold what a GAP board printed of its tensors against the golden model.
    Compare(compare::Arguments),
    /// Hold a folder that NNTool wrote against what Karat makes of the same ranges.
    Import(import::Arguments),
    /// Print how near each layer of an integer network lies to the float one, in decibels.
    Qsnr(qsnr::Arguments),
}

pub(crate) fn run(command: &Command) -> Result<Exit> {
    match command {
        Command::Adjust(arguments) => adjust::run(arguments),
        Command::Fusions(arguments) => fusions::run(arguments),
        Command::Explain(arguments) => explain::run(arguments),
        Command::Compare(arguments) => compare::run(arguments),
        Command::Import(arguments) => import::run(arguments),
        Command::Qsnr(arguments) => qsnr::run(arguments),
    }
}
