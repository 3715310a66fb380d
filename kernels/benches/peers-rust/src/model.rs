//! What `onnx_chain.py` leaves in a folder.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

/// A model and its input.
#[derive(Deserialize)]
pub struct Model {
    /// The model's file.
    pub file: PathBuf,
    /// Operators and types, in words.
    pub form: String,
    /// What the outputs are.
    pub compares: String,
    /// Of the input.
    pub shape: Vec<usize>,
    /// Of the outputs.
    pub output_zero_point: i32,
    /// Threads that may be used.
    pub threads: usize,
    /// Input codes.
    #[serde(skip)]
    pub input: Vec<u8>,
}

impl Model {
    /// Reads `model.json` and what it names.
    pub fn read(folder: &Path) -> Result<Self> {
        let read = |name: &Path| {
            let path = folder.join(name);
            fs::read(&path).with_context(|| format!("reading {}", path.display()))
        };
        let mut model: Self = serde_json::from_slice(&read(Path::new("model.json"))?)?;
        model.input = read(Path::new("input.u8"))?;
        model.file = folder.join(&model.file);
        Ok(model)
    }
}
