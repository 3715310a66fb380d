//! `cargo xtask mistakes`.

use std::path::Path;

use anyhow::{Result, bail};
use clap::Args;
use owo_colors::OwoColorize;
use verify::mistakes::{self, ALL, Group};

use crate::exit::Exit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Show the page of one.
    #[arg(long, value_name = "ID", conflicts_with = "write")]
    name: Option<String>,
    /// Make docs/mistakes anew from the registry.
    #[arg(long)]
    write: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    match (&arguments.name, arguments.write) {
        (Some(id), _) => match mistakes::find(id) {
            Some(mistake) => anstream::println!("{}", mistakes::page(mistake).trim_end()),
            None => bail!("there is no mistake {id:?}; `cargo xtask mistakes` lists them"),
        },
        (None, true) => write()?,
        (None, false) => list(),
    }
    Ok(Exit::Equal)
}

fn list() {
    for group in Group::ALL {
        anstream::println!("\n{}\n", group.name().bold());
        for mistake in ALL.iter().filter(|mistake| mistake.group == group) {
            anstream::println!("  {:<38}{}", mistake.id, mistake.what);
        }
    }
    anstream::println!("\n{} mistakes", ALL.len());
}

fn write() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/mistakes");
    crate::files::make(&folder)?;
    let pages = mistakes::pages();
    for (name, text) in &pages {
        crate::files::replace(&folder.join(name), text.as_bytes())?;
    }
    anstream::println!("{} pages in docs/mistakes", pages.len());
    Ok(())
}
