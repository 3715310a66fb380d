//! Exports read back: what was written is what is there.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use super::manifest::{MANIFEST, Manifest, VERSION};
use super::{Array, csv, dory, hex, npy};
use crate::backend::folder::plain;

/// An export that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot read the export in {folder}: {why}")]
pub struct ReadError {
    /// The folder.
    pub folder: String,
    /// The file, what it holds, what was expected.
    pub why: String,
}

/// What an export holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    /// Its manifest.
    pub manifest: Manifest,
    /// Its tensors, in the order of the manifest.
    pub arrays: Vec<Array>,
}

/// Reads an export of the formats `npy`, `csv`, `hex` or `dory`: every file checked against the
/// manifest's hash, every tensor against its type and shape.
///
/// # Errors
/// A file is missing, changed or none of its format.
pub fn read(folder: &Path) -> Result<Export, ReadError> {
    let wrong = |why| ReadError {
        folder: folder.display().to_string(),
        why,
    };
    let manifest = plain(&folder.join(MANIFEST), LARGEST)
        .map_err(|why| format!("{MANIFEST} {why}"))
        .and_then(|bytes| parse(&bytes));
    let manifest = manifest.map_err(wrong)?;
    let files = Files::read(folder, &manifest).map_err(wrong)?;
    let arrays = decode(&manifest, &files).map_err(wrong)?;
    Ok(Export { manifest, arrays })
}

/// The most bytes of a manifest: 1,000 images are a few thousand files of 150 bytes each.
const LARGEST: u64 = 16 << 20;

fn parse(bytes: &[u8]) -> Result<Manifest, String> {
    let manifest: Manifest =
        serde_json::from_slice(bytes).map_err(|error| format!("{MANIFEST}: {error}"))?;
    match manifest.version {
        VERSION => Ok(manifest),
        other => Err(format!("{MANIFEST}: version {other}, expected {VERSION}")),
    }
}

fn decode(manifest: &Manifest, files: &Files) -> Result<Vec<Array>, String> {
    match manifest.format.as_str() {
        "npy" => npy::decode(manifest, files),
        "csv" => csv::decode(manifest, files),
        "hex" => hex::decode(manifest, files),
        "dory" => dory::decode(manifest, files),
        other => Err(format!(
            "{MANIFEST}: format {other:?}; npy, csv, hex and dory can be read back"
        )),
    }
}

/// The files of an export by path.
pub(super) struct Files(BTreeMap<String, Vec<u8>>);

impl Files {
    fn read(folder: &Path, manifest: &Manifest) -> Result<Self, String> {
        let read = |file: &super::FileEntry| {
            let path = &file.path;
            let inside = |part: Component| matches!(part, Component::Normal(_));
            if !Path::new(path).components().all(inside) {
                return Err(format!("{MANIFEST}: {path:?} is outside of the folder"));
            }
            let bytes =
                plain(&folder.join(path), file.bytes).map_err(|why| format!("{path} {why}"))?;
            match fixtures::sha256(&bytes) == file.sha256 {
                true => Ok((path.clone(), bytes)),
                false => Err(format!(
                    "{path} is not the file of the manifest: its sha256 is another"
                )),
            }
        };
        Ok(Self(
            manifest.files.iter().map(read).collect::<Result<_, _>>()?,
        ))
    }

    pub(super) fn get(&self, path: &str) -> Result<&[u8], String> {
        let bytes = self.0.get(path);
        Ok(bytes.ok_or_else(|| format!("{MANIFEST}: no file {path:?} among its files"))?)
    }

    pub(super) fn text(&self, path: &str) -> Result<&str, String> {
        std::str::from_utf8(self.get(path)?).map_err(|_| format!("{path} is no text"))
    }
}

/// How many values a shape has, unless it is more than memory can hold.
pub(super) fn volume(shape: &[usize]) -> Option<usize> {
    shape
        .iter()
        .try_fold(1usize, |volume, &extent| volume.checked_mul(extent))
}
