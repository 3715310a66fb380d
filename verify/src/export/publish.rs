//! Files in memory to a folder: all of them or none.

use std::fs;
use std::io;
use std::path::Path;

use super::{Artifact, ExportError};
use crate::files::{FileError, make, replace};

/// Writes the files beside `out` and then takes its place.
///
/// # Errors
/// `out` holds something already, or cannot be written.
pub fn publish(artifacts: &[Artifact], out: &Path) -> Result<(), ExportError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| FileError { path, source }
    };
    match out.read_dir().map(|mut entries| entries.next().is_none()) {
        Ok(true) => {}
        Ok(false) => return Err(ExportError::Exists(out.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(at(out)(error).into()),
    }
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    make(parent)?;
    // Beside the place that it takes: a rename must not cross file systems.
    let fresh = tempfile::Builder::new()
        .prefix(".export-")
        .tempdir_in(parent)
        .map_err(at(parent))?;
    for artifact in artifacts {
        let path = fresh.path().join(&artifact.path);
        if let Some(folder) = path.parent() {
            make(folder)?;
        }
        replace(&path, &artifact.bytes)?;
    }
    // `tempdir` keeps it to its owner; an export is a folder like any other.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(fresh.path(), fs::Permissions::from_mode(0o755)).map_err(at(out))?;
    }
    fs::rename(fresh.path(), out).map_err(at(out))?;
    // It is `out` now.
    let _ = fresh.keep();
    Ok(())
}
