//! An integer network in one form, whatever its scheme: a chain of steps that a backend's
//! tensors are held against, and that a hypothesis may change.
//!
//! A weighted layer is two steps, `<layer>.accumulators` and `<layer>`, so that whatever a
//! backend shows of it is the output of a step. The numbers are those of the golden
//! interpreters in `quant`; `verify/tests/model_is_golden.rs` holds the two together.

mod accumulate;
mod build;
mod function;
mod origin;
mod pool;
mod quantize;
mod reach;
mod requantize;
mod scheme;
mod step;

pub use accumulate::{Accumulate, Accumulator, Sum, Term};
pub use build::{GOLDEN, ModelError};
pub use function::Function;
pub use origin::{LayerOrigin, Observed, Origin};
pub use pool::{AveragePool, MeanRounding};
pub use quantize::Quantize;
pub use requantize::{Arithmetic, OfChannel, Overflow, Requantize};
pub use scheme::{MODELS, ModelScheme, NNTOOL};
pub use step::{FlattenOrder, Step};

use quant::scheme::QuantParams;
use reference::{ShapeError, Tensor};

/// Whatever a step takes and gives: pixels, codes, accumulators. Integers, which float64
/// holds exactly; only a mistake makes them anything else.
pub type Values = Tensor<f64>;

/// An integer network, its arithmetic, and where its parameters came from.
#[derive(Clone, Debug)]
pub struct Model {
    /// The network.
    pub network: String,
    /// How it is quantized.
    pub scheme: ModelScheme,
    /// The contract of its requantizations: a name of `quant::contracts`, or `golden`.
    pub contract: String,
    /// `input` first, then every layer in order.
    pub nodes: Vec<Node>,
    /// What the parameters were made from.
    pub origin: Origin,
}

/// A step and what is known of its output.
#[derive(Clone, Debug)]
pub struct Node {
    /// `input`, `<layer>.accumulators` or `<layer>`.
    pub name: String,
    /// What it computes.
    pub step: Step,
    /// The shape of its output for one image, first axis 1.
    pub shape: Vec<usize>,
    /// The codes of its output; of accumulators none.
    pub params: Option<QuantParams>,
    /// Which weighted layer's parameters it uses, counted from 0.
    pub weighted: Option<usize>,
}

impl Node {
    /// The layer that it is a part of.
    pub fn layer(&self) -> &str {
        self.name.strip_suffix(ACCUMULATORS).unwrap_or(&self.name)
    }

    /// Whether its output are accumulators.
    pub fn is_accumulators(&self) -> bool {
        self.params.is_none()
    }
}

/// Ends the name of a node of accumulators.
pub const ACCUMULATORS: &str = ".accumulators";

impl Model {
    /// Where the node of this name is.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.name == name)
    }

    /// The output of every node for these pixels [N, C, H, W], 0 to 255.
    ///
    /// # Errors
    /// Pixels that are not of the network's input shape.
    pub fn trace(&self, pixels: &Values) -> Result<Vec<Values>, ShapeError> {
        let mut outputs: Vec<Values> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let next = node.step.run(outputs.last().unwrap_or(pixels))?;
            outputs.push(next);
        }
        Ok(outputs)
    }

    /// The steps of the nodes in this range, one after the other.
    pub fn steps(&self, range: std::ops::Range<usize>) -> impl Iterator<Item = &Step> {
        self.nodes[range].iter().map(|node| &node.step)
    }
}
