//! Files in memory to a folder: all of them or none.

use std::path::Path;

use super::{Artifact, ExportError};
use crate::files::{make, new_folder, replace};

/// Writes the files beside `out` and then takes its place.
///
/// # Errors
/// `out` holds something already, or cannot be written.
pub fn publish(artifacts: &[Artifact], out: &Path) -> Result<(), ExportError> {
    new_folder(out, |folder| {
        for artifact in artifacts {
            let path = folder.join(&artifact.path);
            if let Some(folder) = path.parent() {
                make(folder)?;
            }
            replace(&path, &artifact.bytes)?;
        }
        Ok(())
    })
}
