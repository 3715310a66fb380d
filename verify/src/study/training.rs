//! Networks that were trained for a width, beside one that is only quantized to it.

use fixtures::QatFixture;
use quant::QuantError;
use quant::affine::AffineNetwork;
use quant::observers::Observer;
use serde::Serialize;

use super::{Accuracy, Bench};

/// One width, asymmetric, integers throughout.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TrainingRow {
    /// Of weights and activations.
    pub bits: u32,
    /// Trained in float32, then quantized by min–max.
    pub post_training: Accuracy,
    /// The same with the ranges of the least squared error.
    pub least_squares: Accuracy,
    /// Trained with fake quantization.
    pub aware: Accuracy,
}

impl Bench {
    pub(super) fn training(&self, trained: &[QatFixture]) -> Result<Vec<TrainingRow>, QuantError> {
        (trained.iter())
            .map(|trained| {
                let scheme = trained.golden.scheme;
                let mut narrower = scheme;
                narrower.weights.observer = Observer::LeastSquares;
                narrower.activations.observer = Observer::LeastSquares;
                let aware = AffineNetwork::quantize(&trained.network, &trained.ranges, scheme)?;
                Ok(TrainingRow {
                    bits: scheme.weights.grid.bits,
                    post_training: self.integer(&self.quantized(scheme)?)?,
                    least_squares: self.integer(&self.quantized(narrower)?)?,
                    aware: self.integer(&aware)?,
                })
            })
            .collect()
    }
}
