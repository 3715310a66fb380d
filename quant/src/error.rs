//! Why a tensor or a network cannot be quantized.

use reference::ShapeError;

use crate::contracts::ContractError;
use crate::scheme::Grid;

/// A quantization that has no defined result.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QuantError {
    /// A range was asked of no values, or a layer has none.
    #[error("there are no values")]
    Empty,
    /// A value is NaN or infinite.
    #[error("value {index} is {value}: only finite values can be quantized")]
    NotFinite {
        /// Row-major position.
        index: usize,
        /// The value.
        value: f32,
    },
    /// All values are zero: every scale would do, so none is chosen.
    #[error("all values are zero, which determines no scale; give the scale explicitly")]
    ZeroRange,
    /// The scale is not a positive finite f32.
    #[error("a scale must be positive and finite in float32, got {value:e}")]
    Scale {
        /// The value before it was rounded to f32.
        value: f64,
    },
    /// Codes that are no grid.
    #[error("{} bits{} is no grid of codes: 1 to 16 bits and at least two codes", .0.bits, if .0.narrow { ", narrow" } else { "" })]
    Grid(Grid),
    /// A zero point that is no code.
    #[error("zero point {zero_point} is none of the codes {} to {}", .grid.low(), .grid.high())]
    ZeroPoint {
        /// The code that is to stand for 0.
        zero_point: i32,
        /// The codes there are.
        grid: Grid,
    },
    /// A weight code that its grid does not have.
    #[error("weight code {code} is none of {} to {}", .grid.low(), .grid.high())]
    Code {
        /// The code.
        code: i32,
        /// The codes there are.
        grid: Grid,
    },
    /// A bias code that its integers do not hold.
    #[error(
        "bias {index} is {bias} = {code:e} steps of its scale, which {bits} bits do not hold; \
         the weight scale of its layer is too small for it"
    )]
    BiasOverflow {
        /// Output channel.
        index: usize,
        /// The float bias.
        bias: f32,
        /// The code before saturation.
        code: f64,
        /// Of the bias codes.
        bits: u32,
    },
    /// Some input could overflow the accumulator.
    #[error(
        "output channel {channel} can reach an accumulator of ±{bound}, beyond {bits} bits; \
         split the layer or use fewer bits"
    )]
    AccumulatorOverflow {
        /// Output channel.
        channel: usize,
        /// Σ|W_q|·max|I_q| + |β_q|.
        bound: i128,
        /// Of the accumulator: 32, or the 54 that float64 holds every integer of.
        bits: u32,
    },
    /// A factor of a requantization that its integers do not express.
    #[error("output channel {channel}: {source}")]
    Multiplier {
        /// Output channel.
        channel: usize,
        /// Why.
        source: ContractError,
    },
    /// There must be one range for each layer that is to be observed.
    #[error("expected {expected} output ranges, one for each layer that is observed, got {got}")]
    Ranges {
        /// Number of these layers.
        expected: usize,
        /// Number of ranges given.
        got: usize,
    },
    /// An operator that has no integer form.
    #[error("{0}")]
    Unsupported(&'static str),
    /// Shapes that do not fit.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The same, in a named layer.
    #[error("layer {layer}: {source}")]
    Layer {
        /// The layer's name.
        layer: String,
        /// What is wrong with it.
        source: Box<QuantError>,
    },
}

impl QuantError {
    /// The same error, naming the layer where it arose.
    pub fn in_layer(self, layer: &str) -> Self {
        Self::Layer {
            layer: layer.to_owned(),
            source: Box::new(self),
        }
    }
}
