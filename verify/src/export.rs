//! What an engineer takes away: a model in the files that other tools read.
//!
//! A format is a function from a [`Request`] to files in memory, one file of code each, and a
//! line of [`FORMATS`]; [`publish`] alone writes them, all or none.

mod array;
mod artifact;
mod c;
pub mod csv;
pub mod dory;
mod dump;
mod error;
pub mod gap_log;
pub mod hex;
mod manifest;
pub mod nntool;
mod npy;
mod publish;
mod read;

pub use array::{Array, Kind, arrays};
pub use artifact::Artifact;
pub use dump::{Dump, Layer};
pub use error::ExportError;
pub use manifest::{FileEntry, MANIFEST, Manifest, TABLE, TensorEntry};
pub use publish::publish;
pub use read::{Export, ReadError, read};

use read::Files;

use fixtures::ImageSet;

use crate::model::Model;

/// What is exported.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The integer network.
    pub model: &'a Model,
    /// The images of its data set.
    pub images: &'a ImageSet,
    /// What the formats leave open.
    pub options: &'a Options,
}

/// What the formats leave open.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many of the 1,000 images to include with their outputs.
    pub images: usize,
    /// How numbers are written.
    pub csv: csv::Numbers,
    /// How words are.
    pub hex: hex::HexOptions,
    /// What names in source code begin with, instead of the network's name.
    pub name: Option<String>,
    /// Of format `nntool`.
    pub nntool: nntool::NntoolOptions,
}

/// A kind of file that other tools read.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// As it is written on the command line.
    pub name: &'static str,
    /// What it is, in a line.
    pub what: &'static str,
    /// What is in the folder and what to do with it, shown once it is written.
    pub next: &'static str,
    make: Make,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            images: 16,
            csv: csv::Numbers::default(),
            hex: hex::HexOptions::default(),
            name: None,
            nntool: nntool::NntoolOptions::default(),
        }
    }
}

type Make = fn(&Request) -> Result<Vec<Artifact>, ExportError>;

/// Every format.
pub const FORMATS: &[Format] = &[
    npy::FORMAT,
    csv::FORMAT,
    hex::FORMAT,
    dory::FORMAT,
    c::FORMAT,
    nntool::FORMAT,
    gap_log::FORMAT,
];

impl Format {
    /// The format of this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.name == name)
    }

    /// The files, in memory.
    ///
    /// # Errors
    /// A model that the format cannot express; no image, or more than there are.
    pub fn make(&self, request: &Request) -> Result<Vec<Artifact>, ExportError> {
        let there = request.images.pixels.shape().first().copied().unwrap_or(0);
        let asked = request.options.images;
        if !(1..=there).contains(&asked) {
            return Err(ExportError::Images { asked, there });
        }
        (self.make)(request)
    }
}
