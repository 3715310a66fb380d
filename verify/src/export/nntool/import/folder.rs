//! What lies in the folder.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::backend::folder::plain;
use crate::export::nntool::header::{self, HeaderError, NodeScale};
use crate::export::nntool::state::{self, State, StateError};

/// The files of NNTool that were found.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    /// The state, with the name of its file.
    pub state: Option<(String, State)>,
    /// The scales of every node, with the name of their file.
    pub header: Option<(String, Vec<NodeScale>)>,
    /// The tensors, by the names of their files.
    pub tensors: BTreeMap<String, Vec<u8>>,
}

/// A folder that is none of NNTool's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that is no plain file, or too long.
    #[error("{} {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A state that is none.
    #[error("{} {source}", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: StateError,
    },
    /// A header that is none.
    #[error("{}: {source}", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: HeaderError,
    },
    /// Two files where one is expected.
    #[error("{} and {} are both {what}; leave one", first.display(), second.display())]
    Two {
        /// One.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// What both are.
        what: &'static str,
    },
    /// Nothing that NNTool writes.
    #[error(
        "{} holds no tensors/*.tensor, no model.h and no state; expected the folder that nntool -g wrote",
        .0.display()
    )]
    Empty(PathBuf),
    /// More files than any network has.
    #[error("{} holds more than {MOST} files; give the folder that nntool -g wrote", .0.display())]
    TooMany(PathBuf),
}

/// The most files of a folder: a network of a hundred layers has some seven hundred.
const MOST: usize = 2_000;

/// The longest file that is read, and the most that all tensors hold, in bytes: more than the
/// flash of a board.
const LONGEST: u64 = 64 << 20;

impl Folder {
    /// Reads `DIR/*.json`, `DIR/*.h` and the tensors in `DIR/tensors` or `DIR`. Other files, the
    /// stubs of expression kernels among them, are passed over.
    ///
    /// # Errors
    /// A file that cannot be read or is not what its name says, or none that NNTool writes.
    pub fn read(folder: &Path) -> Result<Self, FolderError> {
        let mut found = Self::default();
        let tensors = folder.join(super::super::TENSORS);
        let mut paths = files(folder)?;
        if tensors.is_dir() {
            paths.extend(files(&tensors)?);
        }
        let (mut state, mut header) = (None, None);
        let mut left = LONGEST;
        for path in paths {
            let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
            match extension {
                "json" => one(&mut state, path, "a state")?,
                "h" if is_header(&path)? => one(&mut header, path, "a header with scales")?,
                "tensor" => {
                    let bytes = read(&path, left)?;
                    left = left.saturating_sub(bytes.len() as u64);
                    let name = file_name(&path);
                    if found.tensors.insert(name.clone(), bytes).is_some() {
                        let (first, second) = (tensors.join(&name), folder.join(name));
                        let what = "the same tensor";
                        return Err(FolderError::Two {
                            first,
                            second,
                            what,
                        });
                    }
                }
                _ => {}
            }
        }
        if let Some(path) = state {
            let text = text(&path)?;
            let parsed = state::parse(&text);
            let parsed = parsed.map_err(|source| FolderError::State {
                path: path.clone(),
                source,
            })?;
            found.state = Some((file_name(&path), parsed));
        }
        if let Some(path) = header {
            let text = text(&path)?;
            let parsed = header::parse(&text);
            let parsed = parsed.map_err(|source| FolderError::Header {
                path: path.clone(),
                source,
            })?;
            found.header = Some((file_name(&path), parsed));
        }
        if found.state.is_none() && found.header.is_none() && found.tensors.is_empty() {
            return Err(FolderError::Empty(folder.to_owned()));
        }
        Ok(found)
    }
}

/// Everything but folders, in order.
fn files(folder: &Path) -> Result<Vec<PathBuf>, FolderError> {
    let failed = |source| FolderError::Read {
        path: folder.to_owned(),
        source,
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_type().map_err(failed)?.is_dir() {
            paths.push(entry.path());
        }
        if paths.len() > MOST {
            return Err(FolderError::TooMany(folder.to_owned()));
        }
    }
    paths.sort();
    Ok(paths)
}

/// Whether a header speaks of scales at all: others, as `Expression_Kernels.h`, do not.
fn is_header(path: &Path) -> Result<bool, FolderError> {
    Ok(text(path)?.contains("_OUT_SCALE"))
}

fn one(place: &mut Option<PathBuf>, path: PathBuf, what: &'static str) -> Result<(), FolderError> {
    match place.replace(path.clone()) {
        None => Ok(()),
        Some(first) => Err(FolderError::Two {
            first,
            second: path,
            what,
        }),
    }
}

fn read(path: &Path, most: u64) -> Result<Vec<u8>, FolderError> {
    plain(path, most).map_err(|why| FolderError::File {
        path: path.to_owned(),
        why,
    })
}

fn text(path: &Path) -> Result<String, FolderError> {
    String::from_utf8(read(path, LONGEST)?).map_err(|_| FolderError::File {
        path: path.to_owned(),
        why: "is no text (UTF-8)".into(),
    })
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
