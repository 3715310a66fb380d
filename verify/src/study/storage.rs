//! Bytes and accuracy by storage type.

use half::{bf16, f16};
use quant::QuantError;
use quant::scheme::{Scheme, Symmetry};
use reference::Weights;
use serde::Serialize;

use super::{Accuracy, Bench};
use crate::model_file;

/// One way to keep a network.
#[derive(Clone, Debug, Serialize)]
pub struct StorageRow {
    /// Of the weights.
    pub stored: String,
    /// Bytes of the parameters, without the file's header.
    pub parameters: usize,
    /// Bytes of the saved model file.
    pub file: usize,
    /// What it classifies.
    pub accuracy: Accuracy,
}

impl Bench {
    pub(super) fn storage(&self, float: &Accuracy) -> Result<Vec<StorageRow>, QuantError> {
        let mut rows = Vec::new();
        let float32 = model_file::save_float::<f32>(&self.float);
        rows.push(StorageRow {
            stored: "float32".into(),
            parameters: float32.parameters,
            file: float32.bytes.len(),
            accuracy: *float,
        });
        let rounded = |narrow: &dyn Fn(f32) -> f32| {
            let network = self.float.try_map_weights(|_, w| {
                Ok::<_, QuantError>(Weights {
                    weight: w.weight.map(narrow),
                    bias: (w.bias.as_ref()).map(|b| b.iter().map(|&b| narrow(b)).collect()),
                })
            })?;
            self.accuracy_of(&network)
        };
        let half = model_file::save_float::<f16>(&self.float);
        rows.push(StorageRow {
            stored: "float16".into(),
            parameters: half.parameters,
            file: half.bytes.len(),
            accuracy: rounded(&|x| f16::from_f32(x).to_f32())?,
        });
        let brain = model_file::save_float::<bf16>(&self.float);
        rows.push(StorageRow {
            stored: "bfloat16".into(),
            parameters: brain.parameters,
            file: brain.bytes.len(),
            accuracy: rounded(&|x| bf16::from_f32(x).to_f32())?,
        });
        for bits in [8, 6, 4, 3] {
            let network = self.quantized(Scheme::uniform(bits, Symmetry::Asymmetric))?;
            let saved = model_file::save(&network);
            rows.push(StorageRow {
                stored: format!("int{bits}"),
                parameters: saved.parameters,
                file: saved.bytes.len(),
                accuracy: self.integer(&network)?,
            });
        }
        Ok(rows)
    }
}
