//! A folder for one check, and exports in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result};
use fixtures::{Fixtures, ImageSet, NetworkFixture};
use tempfile::TempDir;
use verify::export::{Artifact, Format, Options, Request, publish};
use verify::model::{Model, ModelScheme};

use crate::progress::Progress;

/// It is deleted with everything in it.
pub(super) struct Scratch {
    folder: TempDir,
    progress: Progress,
}

/// A model with the images of its data set.
#[derive(Clone)]
pub(super) struct Subject {
    pub(super) model: Model,
    pub(super) images: ImageSet,
}

impl Subject {
    /// Of a committed network.
    ///
    /// # Errors
    /// Fixtures that are damaged, a network that cannot be quantized so.
    pub(super) fn new(network: &str, scheme: ModelScheme, contract: &str) -> Result<Self> {
        let fixtures = Fixtures::open(Fixtures::committed_root())?;
        let fixture = NetworkFixture::load(&fixtures, network)?;
        let images = ImageSet::load(&fixtures, &fixture.data)?;
        let model = Model::new(&fixture, &images, scheme, contract)?;
        Ok(Self { model, images })
    }

    /// What is exported.
    pub(super) fn request<'a>(&'a self, options: &'a Options) -> Request<'a> {
        Request {
            model: &self.model,
            images: &self.images,
            options,
        }
    }

    /// Its files in a format.
    ///
    /// # Errors
    /// A model that the format cannot express.
    pub(super) fn export(&self, format: &str, options: &Options) -> Result<Vec<Artifact>> {
        let format = Format::find(format).with_context(|| format!("no format {format:?}"))?;
        Ok(format.make(&self.request(options))?)
    }
}

impl Scratch {
    pub(super) fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("karat-check-").tempdir()?;
        Ok(Self {
            folder,
            progress: Progress::new(),
        })
    }

    /// The folder.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Says what the check is at.
    pub(super) fn step(&self, what: &str) {
        self.progress.step(what);
    }

    /// Writes files to a folder of this name, which must be new.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn write(&self, name: &str, artifacts: &[Artifact]) -> Result<PathBuf> {
        let out = self.path().join(name);
        publish(artifacts, &out)?;
        Ok(out)
    }
}

/// What a program says that is called in a folder.
///
/// # Errors
/// It cannot be started.
pub(super) fn call(folder: &Path, program: &Path, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(program);
    let output = command.current_dir(folder).args(arguments).output();
    output.with_context(|| format!("cannot start {}", program.display()))
}
