//! Runs the exporter into a temporary folder beside the committed fixtures.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use fixtures::{Fixtures, QAT_NETWORK};
use tempfile::TempDir;

use crate::python::{self, call};

/// What is to be exported.
pub(crate) struct Export<'a> {
    /// Brought along by the user.
    pub(crate) python: Option<&'a Path>,
    /// The official files; without them images and predictions are carried over.
    pub(crate) data: Option<&'a Path>,
    /// What to know about a copy of a data set, `name=text`.
    pub(crate) data_note: &'a [String],
    /// Train the networks first.
    pub(crate) retrain: bool,
}

/// A fresh export, deleted when it is dropped unless it was moved away.
pub(crate) struct Exported {
    folder: TempDir,
}

impl Exported {
    /// The exported data.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

impl Export<'_> {
    /// Trains if asked, then exports.
    ///
    /// # Errors
    /// Python is missing or fails.
    pub(crate) fn run(&self) -> Result<Exported> {
        let python = python::python(self.python)?;
        let committed = Fixtures::committed_root();
        let parent = committed.parent().unwrap_or(&committed);
        // Beside the committed data: a rename must not cross file systems.
        let folder = tempfile::Builder::new()
            .prefix(".export-")
            .tempdir_in(parent);
        let exported = Exported {
            folder: folder.with_context(|| format!("making a folder in {}", parent.display()))?,
        };
        let trained = exported.folder.path().join("trained");
        if let (true, Some(data)) = (self.retrain, self.data) {
            let mut train = script(&python, "train.py");
            call(train.arg("--data").arg(data).arg("--out").arg(&trained))?;
            let mut qat = script(&python, "qat.py");
            qat.arg("--data").arg(data);
            qat.arg("--start").arg(trained.join(QAT_NETWORK));
            call(qat.arg("--out").arg(trained.join("qat").join(QAT_NETWORK)))?;
        }
        let mut export = script(&python, "export.py");
        export
            .arg("--out")
            .arg(exported.data())
            .arg("--committed")
            .arg(&committed);
        if let Some(data) = self.data {
            export.arg("--data").arg(data);
        }
        for note in self.data_note {
            export.arg("--data-note").arg(note);
        }
        if self.retrain {
            export.arg("--parameters").arg(&trained);
        }
        call(&mut export)?;
        Ok(exported)
    }
}

/// A script of the exporter, to be run with this Python.
pub(crate) fn script(python: &Path, name: &str) -> Command {
    let mut command = Command::new(python);
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(python::export_folder().join(name));
    command
}
