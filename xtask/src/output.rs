//! Files that a command writes.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Makes a folder where there is none.
pub(crate) fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// Writes beside the file and then takes its place, so that no half of it is ever seen.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let partial = path.with_added_extension("partial");
    let written = fs::write(&partial, bytes).and_then(|()| fs::rename(&partial, path));
    written.with_context(|| format!("cannot write {}", path.display()))
}
