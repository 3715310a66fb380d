//! What runs an integer network: exchangeable, since all must give the same codes.

use reference::{ShapeError, Tensor};

use super::{AffineNetwork, ExactInFloats};

/// Runs one integer network.
pub trait Executor: Sync {
    /// The codes of the last layer less their zero point, [N, classes], for normalized images
    /// [N, C, H, W].
    ///
    /// # Errors
    /// Images that are not of the network's input shape.
    fn scores(&self, images: &Tensor<f32>) -> Result<Tensor<f32>, ShapeError>;
}

impl Executor for AffineNetwork {
    fn scores(&self, images: &Tensor<f32>) -> Result<Tensor<f32>, ShapeError> {
        let trace = self.trace(images)?;
        Ok(match trace.layers.last() {
            Some(layer) => (layer.codes).map(|code| (code - layer.params.zero_point) as f32),
            None => trace
                .input
                .map(|code| (code - self.input().zero_point) as f32),
        })
    }
}

impl Executor for ExactInFloats {
    fn scores(&self, images: &Tensor<f32>) -> Result<Tensor<f32>, ShapeError> {
        self.forward(images)
    }
}
