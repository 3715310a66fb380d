//! Logarithm of the softmax.

use num_traits::{Float, Zero};

use crate::geometry::rank;
use crate::{Element, ShapeError, Tensor};

/// `O_j = I_j − m − ln Σ_k exp(I_k − m)`, `m = max I`, along the second axis of
/// [N, classes].
///
/// # Errors
/// The input is not [N, classes].
pub fn log_softmax<E: Element>(input: &Tensor<E>) -> Result<Tensor<E>, ShapeError> {
    let [_, classes] = rank::<2>("input of log-softmax ([N, classes])", input.shape())?;
    let mut output = input.clone();
    if classes == 0 {
        return Ok(output);
    }
    for row in output.data_mut().chunks_exact_mut(classes) {
        let wide: Vec<E::Accumulator> = row.iter().map(|x| x.widen()).collect();
        let max = (wide.iter().copied()).fold(E::Accumulator::neg_infinity(), Float::max);
        let sum = (wide.iter()).fold(E::Accumulator::zero(), |sum, &x| sum + (x - max).exp());
        let log_sum = sum.ln();
        for (o, &x) in row.iter_mut().zip(&wide) {
            *o = E::narrow(x - max - log_sum);
        }
    }
    Ok(output)
}
