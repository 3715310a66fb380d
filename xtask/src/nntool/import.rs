//! `cargo xtask nntool import`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use fixtures::{Fixtures, ImageSet, NetworkFixture};
use owo_colors::OwoColorize;
use verify::export::nntool::import::{Against, Folder, import};

use crate::exit::Exit;
use crate::export::nntool::NntoolArguments;

#[derive(Args)]
#[command(after_help = "Exit codes: 0 equal, 1 something differs, 2 unusable input.")]
pub(crate) struct Arguments {
    /// The folder that `nntool -g` wrote: state, model.h, tensors; any of them may be missing.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The network whose float weights it was made of.
    #[arg(long, value_name = "NAME")]
    network: String,
    #[command(flatten)]
    nntool: NntoolArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    crate::network::known(&arguments.network)?;
    let folder = Folder::read(&arguments.folder)?;
    let fixtures = Fixtures::open(Fixtures::committed_root())?;
    let fixture = NetworkFixture::load(&fixtures, &arguments.network)?;
    let images = ImageSet::load(&fixtures, &fixture.data)?;
    let import = import(
        &folder,
        &Against {
            float: &fixture.network,
            images: &images,
            options: arguments.nntool.options(),
        },
    )?;
    anstream::println!("Made again of {}.", import.basis);
    for finding in &import.findings {
        anstream::println!("{} {finding}", "differs:".red().bold());
    }
    anstream::println!(
        "{} {} files: {}",
        "equal:".green().bold(),
        import.equal.len(),
        import.equal.join(", ")
    );
    Ok(match import.findings.is_empty() {
        true => Exit::Equal,
        false => Exit::Mismatch,
    })
}
