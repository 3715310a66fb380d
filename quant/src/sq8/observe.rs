//! What the calibration images make of every node.

use reference::network::apply;
use reference::{Network, Tensor, Weights};

use crate::QuantError;
use crate::observers::{Range, min_max};

/// The least and the largest value of every node over the calibration images: NNTool's
/// statistics with `clip_type none`, its default.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeRanges {
    /// Of the normalized input.
    pub input: Range,
    /// Of every layer's output, in order; of a ReLU what it lets pass.
    pub outputs: Vec<Range>,
}

impl NodeRanges {
    /// Runs the network over `images` [N, C, H, W] (normalized). Activations are evaluated in
    /// f64 and each rounded once to f32, so that they do not depend on the order of sums.
    ///
    /// # Errors
    /// Images that are not the network's, none, or an activation that is not finite.
    pub fn observe(
        network: &Network<Weights<f32>>,
        images: &Tensor<f32>,
    ) -> Result<Self, QuantError> {
        let input = min_max(images.data()).map_err(|error| error.in_layer("input"))?;
        let wide = network.cast::<f64>();
        let mut x = images.map(f64::from);
        let mut outputs = Vec::with_capacity(wide.layers().len());
        for layer in wide.layers() {
            x = apply(&layer.op, &x)?;
            let single = x.map(|a| a as f32);
            outputs.push(min_max(single.data()).map_err(|error| error.in_layer(&layer.name))?);
        }
        Ok(Self { input, outputs })
    }
}
