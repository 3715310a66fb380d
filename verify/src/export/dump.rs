//! The output of every node of a model for some images: what most formats write.

use super::{ExportError, Request};
use crate::model::Values;

/// Every layer's values, before and after requantization, ReLU and pooling.
#[derive(Clone, Debug)]
pub struct Dump {
    /// Pixels [N, C, H, W].
    pub pixels: Values,
    /// In the order of the model's nodes.
    pub layers: Vec<Layer>,
}

/// One node's output.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The node: `input`, `<layer>.accumulators` or `<layer>`.
    pub name: String,
    /// Whether they are int32 accumulators; else codes.
    pub is_accumulators: bool,
    /// Whether codes are int8; else uint8.
    pub is_signed: bool,
    /// First axis the image.
    pub values: Values,
}

impl Dump {
    /// Of the request's images.
    ///
    /// # Errors
    /// Images that are not the network's.
    pub fn new(request: &Request) -> Result<Self, ExportError> {
        let pixels = request.images.pixels.head(request.options.images);
        let pixels = pixels.map(f64::from);
        let outputs = request.model.trace(&pixels)?;
        let layers = (request.model.nodes.iter().zip(outputs))
            .map(|(node, values)| Layer {
                name: node.name.clone(),
                is_accumulators: node.is_accumulators(),
                is_signed: node.params.is_none_or(|params| params.grid.signed),
                values,
            })
            .collect();
        Ok(Self { pixels, layers })
    }
}
