//! Matrix product with bias.

use std::ops::{Add, Mul};

use rayon::prelude::*;

use crate::element::Summand;
use crate::geometry::rank;
use crate::{Element, ShapeError, Tensor};

/// `O[n, o] = β[o] + Σ_i W[o, i] · I[n, i]` for an input [N, in] and a weight
/// [out, in].
///
/// # Errors
/// Shapes that do not fit.
pub fn linear<E: Element>(
    input: &Tensor<E>,
    weight: &Tensor<E>,
    bias: Option<&[E]>,
) -> Result<Tensor<E>, ShapeError> {
    let bias: Option<Vec<E::Accumulator>> = bias.map(|b| b.iter().map(|b| b.widen()).collect());
    Ok(linear_sums(input, weight, bias.as_deref())?.map(E::narrow))
}

/// The sums of [`linear`] before they are rounded to the element type; of int8
/// codes, the int32 accumulators. Summed in the order (bias, i).
///
/// # Errors
/// Shapes that do not fit.
pub fn linear_sums<E: Summand>(
    input: &Tensor<E>,
    weight: &Tensor<E>,
    bias: Option<&[E::Sum]>,
) -> Result<Tensor<E::Sum>, ShapeError> {
    let [items, outputs] = linear_shape(input.shape(), weight.shape())?;
    check_bias(bias.map(<[E::Sum]>::len), outputs)?;
    let mut output = Tensor::full(&[items, outputs], E::Sum::default())?;
    if outputs == 0 {
        return Ok(output);
    }
    let columns = columns(weight);
    output
        .data_mut()
        .par_chunks_exact_mut(outputs)
        .enumerate()
        .for_each(|(n, row)| {
            if let Some(bias) = bias {
                row.copy_from_slice(bias);
            }
            // The same input to all outputs at once: their sums do not wait for each other.
            for (x, column) in input.item(n).iter().zip(columns.chunks_exact(outputs)) {
                add_times(row, x.widen(), column);
            }
        });
    Ok(output)
}

/// The weights [out, in], all outputs' of the first input first.
fn columns<E: Summand>(weight: &Tensor<E>) -> Vec<E::Sum> {
    let [outputs, inputs] = [0, 1].map(|axis| weight.shape()[axis]);
    let column = |i: usize| (0..outputs).map(move |o| weight.data()[o * inputs + i].widen());
    (0..inputs).flat_map(column).collect()
}

/// `sums[k] = sums[k] + factor · values[k]`, as many as there are of both.
pub(crate) fn add_times<S>(sums: &mut [S], factor: S, values: &[S])
where
    S: Copy + Add<Output = S> + Mul<Output = S>,
{
    for (sum, &value) in sums.iter_mut().zip(values) {
        *sum = *sum + factor * value;
    }
}

/// The output shape [N, out] for an input [N, in] and a weight [out, in].
///
/// # Errors
/// Ranks or sizes that do not fit.
pub fn linear_shape(input: &[usize], weight: &[usize]) -> Result<[usize; 2], ShapeError> {
    let [items, features] = rank::<2>("input of a linear layer ([N, in])", input)?;
    let [outputs, inputs] = rank::<2>("weight of a linear layer ([out, in])", weight)?;
    if features != inputs {
        return Err(ShapeError::Mismatch {
            what: "input features of the linear weight",
            expected: features,
            got: inputs,
        });
    }
    Ok([items, outputs])
}

/// A bias, if there is one, has a value for each output channel.
///
/// # Errors
/// It has another number of values.
pub(crate) fn check_bias(bias: Option<usize>, outputs: usize) -> Result<(), ShapeError> {
    match bias {
        Some(got) if got != outputs => Err(ShapeError::Mismatch {
            what: "values of the bias",
            expected: outputs,
            got,
        }),
        _ => Ok(()),
    }
}
