//! `cargo xtask nntool explain`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use fixtures::{Fixtures, ImageSet, NetworkFixture};
use verify::explain::{Explanation, html, markdown};

use crate::exit::Exit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The network.
    #[arg(long, value_name = "NAME")]
    network: String,
    /// Write it as one HTML page as well.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How many of the 1,000 test images to compare on, and to give to NNTool where the shares of
    /// a scale are measured.
    #[arg(long, value_name = "N", default_value_t = 100)]
    images: usize,
}

/// Prints the explanation as Markdown.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    crate::network::known(&arguments.network)?;
    let fixtures = Fixtures::open(Fixtures::committed_root())?;
    let fixture = NetworkFixture::load(&fixtures, &arguments.network)?;
    let images = ImageSet::load(&fixtures, &fixture.data)?;
    let explanation = Explanation::new(&fixture, &images, arguments.images)
        .with_context(|| arguments.network.clone())?;
    if let Some(path) = &arguments.out {
        let page = html(&explanation).context("the page cannot be made")?;
        crate::files::replace(path, page.as_bytes())?;
    }
    anstream::println!("{}", markdown(&explanation).trim_end());
    Ok(Exit::Equal)
}
