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
    let mut group: Option<Group> = None;
    for mistake in ALL {
        if group != Some(mistake.group) {
            anstream::println!("\n{}\n", mistake.group.bold());
            group = Some(mistake.group);
        }
        anstream::println!("  {:<38}{}", mistake.id, mistake.what);
    }
    anstream::println!("\n{} mistakes", ALL.len());
}

fn write() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/mistakes");
    crate::files::make(&folder)?;
    for mistake in ALL {
        let path = folder.join(format!("{}.md", mistake.id));
        crate::files::replace(&path, mistakes::page(mistake).as_bytes())?;
    }
    crate::files::replace(&folder.join("README.md"), mistakes::index().as_bytes())?;
    anstream::println!("{} pages in docs/mistakes", ALL.len());
    Ok(())
}
