//! Parameters whose weight can be stored in another order.

use reference::geometry::rank;
use reference::{ShapeError, Tensor, WeightShape, Weights};

use super::layout::{Layout, behind_first, sources};
use crate::QuantWeights;

/// The parameters of a weighted layer, stored in another order.
pub trait Rearrange: WeightShape + Clone {
    /// The weight under `shape`, value i the one that lay at `sources[i]`; all else as it is.
    ///
    /// # Errors
    /// The shape holds another number of values.
    fn rearranged(&self, shape: &[usize], sources: &[usize]) -> Result<Self, ShapeError>;
}

/// Value i is the one that lay at `sources[i]`.
pub(super) fn gathered<E: Copy>(
    weight: &Tensor<E>,
    shape: &[usize],
    sources: &[usize],
) -> Result<Tensor<E>, ShapeError> {
    Tensor::new(shape, sources.iter().map(|&at| weight.data()[at]).collect())
}

impl<E: Copy> Rearrange for Weights<E> {
    fn rearranged(&self, shape: &[usize], sources: &[usize]) -> Result<Self, ShapeError> {
        Ok(Self {
            weight: gathered(&self.weight, shape, sources)?,
            bias: self.bias.clone(),
        })
    }
}

impl Rearrange for QuantWeights {
    fn rearranged(&self, shape: &[usize], sources: &[usize]) -> Result<Self, ShapeError> {
        Ok(Self {
            weight: gathered(&self.weight, shape, sources)?,
            ..self.clone()
        })
    }
}

/// A convolution's weight, the axes of its kernels in another order.
pub(super) fn kernels<W: Rearrange>(
    weights: &W,
    from: Layout,
    to: Layout,
) -> Result<W, ShapeError> {
    let shape = rank::<4>("convolution weight", weights.weight_shape())?;
    let axes = behind_first(from, to);
    weights.rearranged(&axes.map(|axis| shape[axis]), &sources(&shape, &axes))
}

/// A linear layer's weight, which read a map of `shape` in the order `from`, for the order `to`.
pub(super) fn columns<W: Rearrange>(
    weights: &W,
    shape: [usize; 3],
    from: Layout,
    to: Layout,
) -> Result<W, ShapeError> {
    let own = rank::<2>("weight of a linear layer", weights.weight_shape())?;
    let axes = from.axes_to(to);
    let axes = [0, axes[0] + 1, axes[1] + 1, axes[2] + 1];
    weights.rearranged(
        &own,
        &sources(&[own[0], shape[0], shape[1], shape[2]], &axes),
    )
}
