//! `cargo xtask export`.

mod c;
mod csv;
mod hex;
pub(crate) mod nntool;

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use fixtures::{Fixtures, ImageSet, NetworkFixture};
use verify::export::{FORMATS, Format, Options, Request, publish};
use verify::model::Model;

use c::CArguments;
use csv::CsvArguments;
use hex::HexArguments;
use nntool::NntoolArguments;

use crate::emit::{IMAGES, ModelArguments};
use crate::exit::Exit;
use crate::files::vacant;

#[derive(Args)]
#[command(after_help = formats())]
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
    #[command(flatten)]
    csv: CsvArguments,
    #[command(flatten)]
    hex: HexArguments,
    #[command(flatten)]
    nntool: NntoolArguments,
    #[command(flatten)]
    c: CArguments,
}

fn format(name: &str) -> Result<&'static Format, String> {
    Format::find(name).ok_or_else(|| format!("there is no format {name:?}. {}", formats()))
}

/// A line for each format.
fn formats() -> String {
    let width = FORMATS
        .iter()
        .map(|format| format.name.len())
        .max()
        .unwrap_or(0);
    let lines: Vec<String> = (FORMATS.iter())
        .map(|format| format!("  {:width$}  {}", format.name, format.what))
        .collect();
    format!(
        "Formats:\n{}\n\ndocs/exports.md has an example of each.",
        lines.join("\n")
    )
}

impl Arguments {
    fn options(&self) -> Result<Options> {
        let given = [
            ("c", self.c.given()),
            ("csv", self.csv.given()),
            ("hex", self.hex.given()),
            ("nntool", self.nntool.given()),
        ];
        for (name, given) in given {
            if let Some(option) = given.filter(|_| name != self.format.name) {
                bail!(
                    "{option} belongs to --format {name}, not to {}",
                    self.format.name
                );
            }
        }
        Ok(Options {
            images: self.images,
            csv: self.csv.options(),
            hex: self.hex.options()?,
            name: self.c.name(),
            nntool: self.nntool.options(),
        })
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let options = arguments.options()?;
    // Before anything is computed.
    vacant(&arguments.out)?;
    crate::network::known(&arguments.network)?;
    let fixtures = Fixtures::open(Fixtures::committed_root())?;
    let fixture = NetworkFixture::load(&fixtures, &arguments.network)?;
    let images = ImageSet::load(&fixtures, &fixture.data)?;
    let ModelArguments { scheme, contract } = &arguments.model;
    let model = Model::new(&fixture, &images, *scheme, contract)?;
    let artifacts = arguments.format.make(&Request {
        model: &model,
        images: &images,
        options: &options,
    })?;
    publish(&artifacts, &arguments.out)?;
    anstream::println!(
        "{}: {} files of {} ({}, contract {}).\n{}",
        arguments.out.display(),
        artifacts.len(),
        model.network,
        model.scheme,
        model.contract,
        arguments.format.next,
    );
    Ok(Exit::Equal)
}
