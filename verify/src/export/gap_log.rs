//! What a GAP board prints of its tensors: written of a model, read of a board, held against each
//! other.

mod compare;
mod text;

pub use compare::{Comparison, LogOutcome, NodeComparison};
pub use text::{LogError, LogTensor, parse, write};

use compare::OUT;

use super::nntool::source::Source;
use super::{Artifact, Dump, ExportError, Format, Request};
use crate::model::{ACCUMULATORS, Model, Values};

pub(super) const FORMAT: Format = Format {
    name: "gap-log",
    what: "what a GAP board prints of every kernel's output, a log for each image",
    next: "`cargo xtask nntool compare` holds a board's log against the golden model.",
    make,
};

fn make(request: &Request) -> Result<Vec<Artifact>, ExportError> {
    let dump = Dump::new(request)?;
    let outputs: Vec<Values> = dump.layers.into_iter().map(|layer| layer.values).collect();
    (0..dump.pixels.shape()[0])
        .map(|image| {
            let text = write(&outputs_of(request.model, &outputs, image)?);
            Ok(Artifact::text(format!("image-{image}.log"), text))
        })
        .collect()
}

/// The output of every kernel for an image, given those of the model's nodes: under the names of
/// NNTool, whatever the scheme.
///
/// # Errors
/// A network that is no graph of NNTool's.
pub fn outputs_of(
    model: &Model,
    outputs: &[Values],
    image: usize,
) -> Result<Vec<LogTensor>, ExportError> {
    let source = Source::new(&model.origin.float)?;
    let body = model.nodes.iter().zip(outputs).skip(1);
    let layers: Vec<_> = body
        .filter(|(node, _)| !node.name.ends_with(ACCUMULATORS))
        .collect();
    let mut tensors = Vec::new();
    for (step, name, last_layer) in source.kernels() {
        let (node, values) = layers[last_layer];
        tensors.push(LogTensor {
            node: format!("S{step}_{name}"),
            argument: OUT.into(),
            shape: node.shape[1..].to_vec(),
            item_size: 1,
            values: values.item(image).iter().map(|&code| code as i32).collect(),
        });
    }
    Ok(tensors)
}
