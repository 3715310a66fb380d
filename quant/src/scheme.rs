//! How tensors become codes: bits, symmetry, granularity, and where ranges come from.

mod grid;
mod params;

pub use grid::Grid;
pub use params::QuantParams;

use crate::observers::Observer;

/// How one kind of tensor is quantized.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TensorScheme {
    /// The codes.
    pub grid: Grid,
    /// Whether codes are shifted by a zero point.
    pub symmetry: Symmetry,
    /// One scale for the tensor, or one for each output channel.
    pub granularity: Granularity,
    /// What makes the range.
    pub observer: Observer,
}

/// Whether codes are shifted by a zero point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symmetry {
    /// z = 0; s = max|x| over the codes of one side.
    Symmetric,
    /// A range widened to hold 0 fills all codes; z stands for 0 exactly.
    Asymmetric,
}

/// How many scales a tensor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granularity {
    /// One.
    PerTensor,
    /// One for each output channel (weights only).
    PerChannel,
}

/// Where in a network activations are observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObservedAt {
    /// The output of a weighted layer, bias included.
    Output,
    /// The same after the ReLU that follows, if one does: no code is spent on what the ReLU
    /// takes away.
    AfterRelu,
}

/// How a network is quantized.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scheme {
    /// Weights.
    pub weights: TensorScheme,
    /// The input and the output of every weighted layer; per tensor.
    pub activations: TensorScheme,
    /// Where activations are observed.
    pub observed_at: ObservedAt,
}

impl Scheme {
    /// The same bits for weights and activations, both symmetric (signed) or both
    /// asymmetric (unsigned activations), by min–max.
    pub fn uniform(bits: u32, symmetry: Symmetry) -> Self {
        let (signed, observed_at) = match symmetry {
            Symmetry::Symmetric => (true, ObservedAt::Output),
            Symmetry::Asymmetric => (false, ObservedAt::AfterRelu),
        };
        let of = |signed| TensorScheme {
            grid: Grid {
                bits,
                signed,
                narrow: false,
            },
            symmetry,
            granularity: Granularity::PerTensor,
            observer: Observer::MinMax,
        };
        Self {
            weights: of(true),
            activations: of(signed),
            observed_at,
        }
    }
}
