//! The folder that a backend is given.

use std::io;
use std::path::Path;

use tempfile::TempDir;

use crate::files::FileError;

/// A folder of its own, removed with all that is in it.
pub(super) struct Scratch(TempDir);

impl Scratch {
    /// Makes one.
    ///
    /// # Errors
    /// It cannot be made.
    pub(super) fn new() -> Result<Self, FileError> {
        let made = tempfile::Builder::new().prefix("karat-").tempdir();
        made.map(Self).map_err(|source| FileError {
            path: std::env::temp_dir(),
            source,
        })
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Removes it; links in it are removed, not followed.
    ///
    /// # Errors
    /// It cannot be removed.
    pub(super) fn remove(self) -> io::Result<()> {
        #[cfg(unix)]
        open_up(self.0.path());
        self.0.close()
    }
}

/// A folder that its owner may not write to cannot be emptied.
#[cfg(unix)]
fn open_up(folder: &Path) {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        // What fails here fails again when it is removed, and is told then.
        let _ = fs::set_permissions(&folder, Permissions::from_mode(0o700));
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        let is_folder = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
        folders.extend(entries.filter(is_folder).map(|entry| entry.path()));
    }
}
