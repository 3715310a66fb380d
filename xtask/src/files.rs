//! Files that commands write.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use npyz::{AutoSerialize, WriterBuilder};

/// The folder, and those above it.
pub(crate) fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// Writes beside the file and then takes its place, so that no half of it is ever seen.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let partial = path.with_added_extension("partial");
    let written = fs::write(&partial, bytes).and_then(|()| fs::rename(&partial, path));
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// Row-major `values` of this shape, as npy.
pub(crate) fn replace_npy<T: AutoSerialize + Copy>(
    path: &Path,
    shape: &[usize],
    values: &[T],
) -> Result<()> {
    let mut bytes = Vec::new();
    let shape: Vec<u64> = shape.iter().map(|&extent| extent as u64).collect();
    let cannot = || format!("cannot write {}", path.display());
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(&shape)
        .writer(&mut bytes)
        .begin_nd()
        .with_context(cannot)?;
    writer.extend(values.iter().copied()).with_context(cannot)?;
    writer.finish().with_context(cannot)?;
    replace(path, &bytes)
}
