//! `cargo xtask emit`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use fixtures::Fixtures;
use verify::backend::Trial;
use verify::backend::folder::{TrialDescription, write};
use verify::model::{GOLDEN, ModelScheme};

use crate::exit::Exit;
use crate::files::{new_folder, vacant};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The network.
    #[arg(long, value_name = "NAME")]
    network: String,
    /// The folder to make.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    model: ModelArguments,
    /// How many of the 1,000 images to put through the whole network.
    #[arg(long, value_name = "N", default_value_t = IMAGES)]
    images: usize,
}

/// Which model of a network.
#[derive(Args, Clone)]
pub(crate) struct ModelArguments {
    /// How the network is quantized: max-abs, asymmetric, per-channel, per-channel-asymmetric,
    /// nntool-sq8, nntool-sq8-symmetric.
    #[arg(long, value_name = "SCHEME", default_value = "max-abs", value_parser = scheme)]
    pub(crate) scheme: ModelScheme,
    /// What requantizes: golden, or a name of `cargo xtask contracts`.
    #[arg(long, value_name = "CONTRACT", default_value = GOLDEN)]
    pub(crate) contract: String,
}

/// Images through the whole network where nothing else is said.
pub(crate) const IMAGES: usize = 16;

/// Images for each layer by itself.
pub(crate) const ISOLATED: usize = 4;

pub(crate) fn scheme(name: &str) -> Result<ModelScheme, String> {
    ModelScheme::find(name).ok_or_else(|| {
        let names: Vec<&str> = ModelScheme::all().map(ModelScheme::name).collect();
        format!(
            "there is no scheme {name:?}; there are: {}",
            names.join(", ")
        )
    })
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let Arguments { out, model, .. } = arguments;
    // Before anything is computed.
    vacant(out)?;
    crate::network::known(&arguments.network)?;
    let fixtures = Fixtures::open(Fixtures::committed_root())?;
    let trial = Trial::new(
        &fixtures,
        &arguments.network,
        model.scheme,
        &model.contract,
        arguments.images,
        ISOLATED.min(arguments.images),
    )?;
    new_folder(out, |folder| {
        let written = write(&trial, &TrialDescription::new(&trial), folder);
        written.map_err(anyhow::Error::from)
    })?;
    anstream::println!(
        "{}: {} cases of {} ({}, contract {}).\n\
         Write outputs/<case>/<layer>.npy there ({}/README.md says what), then\n\n    \
         cargo xtask verify --outputs {}",
        out.display(),
        trial.probes.len(),
        trial.model.network,
        trial.model.scheme,
        trial.model.contract,
        out.display(),
        out.display()
    );
    Ok(Exit::Equal)
}
