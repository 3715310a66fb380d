//! Files that are written: each whole or not at all.

mod new_folder;

pub use new_folder::{NewFolderError, new_folder, vacant};

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use npyz::{AutoSerialize, WriterBuilder};

/// A file or folder that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}", path.display())]
pub struct FileError {
    /// The file or folder.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// The folder, and those above it.
///
/// # Errors
/// It cannot be made.
pub fn make(folder: &Path) -> Result<(), FileError> {
    fs::create_dir_all(folder).map_err(at(folder))
}

/// Writes beside the file and then takes its place, so that no half of it is ever seen.
///
/// # Errors
/// It cannot be written.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let partial = path.with_added_extension("partial");
    let written = fs::write(&partial, bytes).and_then(|()| fs::rename(&partial, path));
    written.map_err(at(path))
}

/// Row-major `values` of this shape, as npy.
///
/// # Errors
/// It cannot be written, or the values are not as many as the shape says.
pub fn replace_npy<T: AutoSerialize + Copy>(
    path: &Path,
    shape: &[usize],
    values: &[T],
) -> Result<(), FileError> {
    let bytes = npy_bytes(shape, values).map_err(at(path))?;
    replace(path, &bytes)
}

/// The same as the bytes of a file.
///
/// # Errors
/// The values are not as many as the shape says.
pub fn npy_bytes<T: AutoSerialize + Copy>(shape: &[usize], values: &[T]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let shape: Vec<u64> = shape.iter().map(|&extent| extent as u64).collect();
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(&shape)
        .writer(&mut bytes)
        .begin_nd()?;
    writer.extend(values.iter().copied())?;
    writer.finish()?;
    Ok(bytes)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> FileError + use<> {
    let path = path.to_owned();
    move |source| FileError { path, source }
}
