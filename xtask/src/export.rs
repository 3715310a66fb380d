//! `cargo xtask export`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use fixtures::{Fixtures, ImageSet, NetworkFixture};
use verify::export::{FORMATS, Format, Options, Request, publish};
use verify::model::Model;

use crate::emit::{IMAGES, ModelArguments};
use crate::exit::Exit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The network.
    #[arg(long, value_name = "NAME")]
    network: String,
    #[command(flatten)]
    model: ModelArguments,
    /// What to write.
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    format: &'static Format,
    /// The folder to make.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How many of the 1,000 images to include with their outputs.
    #[arg(long, value_name = "N", default_value_t = IMAGES)]
    images: usize,
}

fn format(name: &str) -> Result<&'static Format, String> {
    Format::find(name).ok_or_else(|| {
        let names: Vec<String> = (FORMATS.iter())
            .map(|format| format!("  {}: {}", format.name, format.what))
            .collect();
        format!(
            "there is no format {name:?}; there are:\n{}",
            names.join("\n")
        )
    })
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    crate::network::known(&arguments.network)?;
    let fixtures = Fixtures::open(Fixtures::committed_root())?;
    let fixture = NetworkFixture::load(&fixtures, &arguments.network)?;
    let images = ImageSet::load(&fixtures, &fixture.data)?;
    let ModelArguments { scheme, contract } = &arguments.model;
    let model = Model::new(&fixture, &images, *scheme, contract)?;
    let options = Options {
        images: arguments.images,
    };
    let artifacts = arguments.format.make(&Request {
        model: &model,
        images: &images,
        options: &options,
    })?;
    publish(&artifacts, &arguments.out)?;
    anstream::println!(
        "{}: {} files of {} ({}, contract {}).",
        arguments.out.display(),
        artifacts.len(),
        model.network,
        model.scheme,
        model.contract,
    );
    Ok(Exit::Equal)
}
