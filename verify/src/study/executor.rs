//! What runs the integer networks of a study.

use kernels::{AffineExecutor, Kernels};
use quant::affine::{self, AffineNetwork, ExactInFloats};

/// Exchangeable, since all give the same codes.
#[derive(Clone, Copy, Debug)]
pub enum Executor {
    /// The golden interpreter, in int64.
    Golden,
    /// [`ExactInFloats`].
    Floats,
    /// One instruction set's kernels.
    Kernels(Kernels),
}

impl Executor {
    /// Prepares a network.
    pub(super) fn prepare(self, network: AffineNetwork) -> Box<dyn affine::Executor> {
        match self {
            Self::Golden => Box::new(network),
            Self::Floats => Box::new(ExactInFloats::new(network)),
            Self::Kernels(kernels) => Box::new(AffineExecutor::new(network, kernels)),
        }
    }
}
