//! Networks that were trained for a width, beside one that is only quantized to it.

use fixtures::QatFixture;
use quant::QuantError;
use quant::affine::AffineNetwork;
use serde::Serialize;

use super::{Accuracy, Bench};

/// One width, asymmetric, integers throughout.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TrainingRow {
    /// Of weights and activations.
    pub bits: u32,
    /// Trained in float32, then quantized.
    pub post_training: Accuracy,
    /// Trained with fake quantization.
    pub aware: Accuracy,
}

impl Bench {
    pub(super) fn training(&self, trained: &[QatFixture]) -> Result<Vec<TrainingRow>, QuantError> {
        (trained.iter())
            .map(|trained| {
                let scheme = trained.golden.scheme;
                let aware = AffineNetwork::quantize(&trained.network, &trained.ranges, scheme)?;
                Ok(TrainingRow {
                    bits: scheme.weights.grid.bits,
                    post_training: self.integer(&self.quantized(scheme)?)?,
                    aware: self.integer(&aware)?,
                })
            })
            .collect()
    }
}
