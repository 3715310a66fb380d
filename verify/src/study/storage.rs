//! Bytes and accuracy by storage type.

use half::{bf16, f16};
use quant::scheme::{Scheme, Symmetry};
use serde::Serialize;

use super::{Accuracy, Bench};
use crate::model_file::{self, FloatFormat, ModelFileError, Saved};

/// One way to keep a network.
#[derive(Clone, Debug, Serialize)]
pub struct StorageRow {
    /// Of the weights.
    pub stored: String,
    /// Bytes of the parameters, without the file's header.
    pub parameters: usize,
    /// Bytes of the saved model file.
    pub file: usize,
    /// What it classifies, loaded back.
    pub accuracy: Accuracy,
    /// The file.
    #[serde(skip)]
    pub saved: Vec<u8>,
}

/// Widths of weights and activations that are stored.
const STORED_BITS: [u32; 4] = [8, 6, 4, 3];

impl Bench {
    pub(super) fn storage(&self) -> Result<Vec<StorageRow>, ModelFileError> {
        let mut rows = vec![
            self.stored::<f32>("float32")?,
            self.stored::<f16>("float16")?,
            self.stored::<bf16>("bfloat16")?,
        ];
        for symmetry in [Symmetry::Symmetric, Symmetry::Asymmetric] {
            for bits in STORED_BITS {
                let network = self.quantized(Scheme::uniform(bits, symmetry))?;
                let saved = model_file::save(&network)?;
                let accuracy = self.integer(&model_file::load(&saved.bytes)?)?;
                let name = match symmetry {
                    Symmetry::Symmetric => format!("int{bits}"),
                    Symmetry::Asymmetric => format!("int{bits}-asymmetric"),
                };
                rows.push(row(&name, saved, accuracy));
            }
        }
        Ok(rows)
    }

    fn stored<E: FloatFormat>(&self, name: &str) -> Result<StorageRow, ModelFileError> {
        let saved = model_file::save_float::<E>(&self.float)?;
        let loaded = model_file::load_float::<E>(&saved.bytes, &self.float)?;
        let accuracy = self.accuracy_of(&loaded)?;
        Ok(row(name, saved, accuracy))
    }
}

fn row(stored: &str, saved: Saved, accuracy: Accuracy) -> StorageRow {
    StorageRow {
        stored: stored.into(),
        parameters: saved.parameters,
        file: saved.bytes.len(),
        accuracy,
        saved: saved.bytes,
    }
}
