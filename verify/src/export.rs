//! What an engineer takes away: a model in the files that other tools read.
//!
//! A format is a function from a [`Request`] to files in memory, one file of code each, and a
//! line of [`FORMATS`]; [`publish`] alone writes them, all or none.

mod artifact;
mod dump;
mod error;
mod npy;
mod publish;

pub use artifact::Artifact;
pub use dump::{Dump, Layer};
pub use error::ExportError;
pub use publish::publish;

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
}

/// A kind of file that other tools read.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// As it is written on the command line.
    pub name: &'static str,
    /// What it is, in a line.
    pub what: &'static str,
    make: Make,
}

impl Default for Options {
    fn default() -> Self {
        Self { images: 16 }
    }
}

type Make = fn(&Request) -> Result<Vec<Artifact>, ExportError>;

/// Every format.
pub const FORMATS: [Format; 1] = [npy::FORMAT];

impl Format {
    /// The format of this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.name == name)
    }

    /// The files, in memory.
    ///
    /// # Errors
    /// A model that the format cannot express.
    pub fn make(&self, request: &Request) -> Result<Vec<Artifact>, ExportError> {
        (self.make)(request)
    }
}
