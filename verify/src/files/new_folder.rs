//! A folder with files: all of them or none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{FileError, at, make};

/// A folder that cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NewFolderError {
    /// It is there already.
    #[error("{} exists and is not empty; give a new folder, so that nothing is lost", .0.display())]
    Exists(PathBuf),
    /// It cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Whether a folder can be made here: there is none, or it is empty.
///
/// # Errors
/// It holds something, or is no folder.
pub fn vacant(out: &Path) -> Result<(), NewFolderError> {
    match out.read_dir().map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(NewFolderError::Exists(out.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(at(out)(error).into()),
    }
}

/// Makes a folder: `fill` writes it beside `out`, whose place it then takes.
///
/// # Errors
/// `out` holds something already or cannot be written; what `fill` says.
pub fn new_folder<E: From<NewFolderError>>(
    out: &Path,
    fill: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    vacant(out)?;
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let failed = |path: &Path| {
        let error = at(path);
        |source| NewFolderError::File(error(source))
    };
    make(parent).map_err(NewFolderError::File)?;
    // Beside the place that it takes: a rename must not cross file systems.
    let fresh = tempfile::Builder::new()
        .prefix(".karat-")
        .tempdir_in(parent)
        .map_err(failed(parent))?;
    fill(fresh.path())?;
    // `tempdir` keeps it to its owner; this is a folder like any other.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(fresh.path(), mode).map_err(failed(out))?;
    }
    fs::rename(fresh.path(), out).map_err(failed(out))?;
    // It is `out` now.
    let _ = fresh.keep();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_whole_or_not_there() {
        let scratch = tempfile::tempdir().unwrap();
        let out = scratch.path().join("a/b");
        let entries = || fs::read_dir(scratch.path().join("a")).unwrap().count();
        let fill = |folder: &Path| {
            fs::write(folder.join("file"), "x").unwrap();
            Ok::<_, NewFolderError>(())
        };
        new_folder(&out, fill).unwrap();
        assert_eq!(
            (fs::read(out.join("file")).unwrap(), entries()),
            (b"x".to_vec(), 1)
        );
        let again = new_folder(&out, fill).unwrap_err();
        assert!(matches!(again, NewFolderError::Exists(path) if path == out));

        // Half of it was written when something went wrong: nothing is left.
        let other = scratch.path().join("a/c");
        let stopped = new_folder(&other, |folder| {
            fs::write(folder.join("file"), "x").unwrap();
            Err(NewFolderError::Exists(folder.to_owned()))
        });
        assert!(stopped.is_err());
        assert_eq!(entries(), 1);

        fs::create_dir(&other).unwrap();
        new_folder(&other, fill).unwrap();
        assert_eq!(fs::read(other.join("file")).unwrap(), b"x");
        // A file is no folder.
        let file = vacant(&other.join("file")).unwrap_err();
        assert!(matches!(file, NewFolderError::File(_)), "{file}");
    }
}
