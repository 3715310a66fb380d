//! The rectifier.

use crate::{Element, Tensor};

/// `O = max(0, I)`; NaN stays NaN, as in PyTorch.
pub fn relu<E: Element>(input: &Tensor<E>) -> Tensor<E> {
    input.map(|x| if x < E::zero() { E::zero() } else { x })
}
