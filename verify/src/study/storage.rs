//! Bytes and accuracy by storage type.

use half::{bf16, f16};
use quant::QuantError;
use quant::scheme::{Scheme, Symmetry};
use reference::Weights;
use serde::Serialize;

use super::{Accuracy, Bench};
use crate::model_file::{self, ModelFileError, Saved};

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
    pub(super) fn storage(&self, float: &Accuracy) -> Result<Vec<StorageRow>, ModelFileError> {
        let mut rows = vec![
            row(
                "float32",
                model_file::save_float::<f32>(&self.float),
                *float,
            ),
            row(
                "float16",
                model_file::save_float::<f16>(&self.float),
                self.rounded(|x| f16::from_f32(x).to_f32())?,
            ),
            row(
                "bfloat16",
                model_file::save_float::<bf16>(&self.float),
                self.rounded(|x| bf16::from_f32(x).to_f32())?,
            ),
        ];
        for bits in STORED_BITS {
            let saved =
                model_file::save(&self.quantized(Scheme::uniform(bits, Symmetry::Asymmetric))?);
            let loaded = model_file::load(&saved.bytes)?;
            let accuracy = self.integer(&loaded)?;
            rows.push(row(&format!("int{bits}"), saved, accuracy));
        }
        Ok(rows)
    }

    /// Of the float network whose parameters a narrower type holds.
    fn rounded(&self, narrow: impl Fn(f32) -> f32) -> Result<Accuracy, QuantError> {
        let network = self.float.try_map_weights(|_, w| {
            Ok::<_, QuantError>(Weights {
                weight: w.weight.map(&narrow),
                bias: (w.bias.as_ref()).map(|b| b.iter().map(|&b| narrow(b)).collect()),
            })
        })?;
        self.accuracy_of(&network)
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
