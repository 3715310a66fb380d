//! From maps to features.

use crate::tensor::volume;
use crate::{ShapeError, Tensor};

/// [N, …] as [N, product of the rest], in the same (for images CHW) order.
///
/// # Errors
/// The tensor has no axis.
pub fn flatten<E: Copy>(input: Tensor<E>) -> Result<Tensor<E>, ShapeError> {
    let shape = flat_shape(input.shape())?;
    input.reshape(&shape)
}

/// The shape that [`flatten`] gives.
///
/// # Errors
/// The shape has no axis, or its product overflows.
pub(crate) fn flat_shape(shape: &[usize]) -> Result<[usize; 2], ShapeError> {
    let [items, rest @ ..] = shape else {
        return Err(ShapeError::Rank {
            what: "input of flatten",
            expected: 1,
            got: Vec::new(),
        });
    };
    Ok([*items, volume(rest)?])
}
