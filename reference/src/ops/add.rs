//! Elementwise sum.

use crate::{Element, ShapeError, Tensor};

/// `O = A + B`, elementwise, for two tensors of one shape.
///
/// # Errors
/// The shapes differ.
pub fn add<E: Element>(a: &Tensor<E>, b: &Tensor<E>) -> Result<Tensor<E>, ShapeError> {
    if a.shape() != b.shape() {
        return Err(ShapeError::Shapes {
            what: "second operand of add",
            expected: a.shape().to_vec(),
            got: b.shape().to_vec(),
        });
    }
    let sums = (a.data().iter().zip(b.data()))
        .map(|(a, b)| E::narrow(a.widen() + b.widen()))
        .collect();
    Tensor::new(a.shape(), sums)
}
