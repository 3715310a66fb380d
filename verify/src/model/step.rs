//! One step of a model.

use reference::ops::max_pool2d;
use reference::{PoolGeometry, ShapeError, Tensor};

use super::{Accumulate, AveragePool, Function, Quantize, Requantize, Values};

/// What a node computes.
#[derive(Clone, Debug)]
pub enum Step {
    /// Pixels to codes (eq. 1, 5).
    Quantize(Quantize),
    /// Codes to accumulators (the sum of eq. 6, 7, 22).
    Accumulate(Accumulate),
    /// Accumulators to codes.
    Requantize(Requantize),
    /// `max(low, q)`; the zero point stands for 0.
    Relu {
        /// The code below which none is left.
        low: f64,
    },
    /// Largest code of a window.
    MaxPool(PoolGeometry),
    /// Mean code of a window.
    AveragePool(AveragePool),
    /// [N, C, H, W] to [N, C·H·W].
    Flatten(FlattenOrder),
    /// Its input.
    Identity,
    /// Anything else: of a mistake alone.
    Other(Function),
}

/// Which axis is slowest in a flattened image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlattenOrder {
    /// Channels first: PyTorch's.
    Chw,
    /// Channels last.
    Hwc,
}

impl Step {
    /// The output for a batch.
    ///
    /// # Errors
    /// An input whose shape does not fit.
    pub fn run(&self, input: &Values) -> Result<Values, ShapeError> {
        Ok(match self {
            Self::Quantize(quantize) => quantize.run(input),
            Self::Accumulate(accumulate) => accumulate.run(input)?,
            Self::Requantize(requantize) => requantize.run(input),
            Self::Relu { low } => input.map(|code| code.max(*low)),
            Self::MaxPool(geometry) => max_pool2d(input, geometry)?,
            Self::AveragePool(pool) => pool.run(input)?,
            Self::Flatten(order) => order.run(input)?,
            Self::Identity => input.clone(),
            Self::Other(function) => function.run(input)?,
        })
    }
}

impl Step {
    /// Whether both are seen to compute the same, so that no input tells them apart. Functions
    /// that only a mistake has are never seen to be.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Quantize(a), Self::Quantize(b)) => a == b,
            (Self::Accumulate(a), Self::Accumulate(b)) => a.is(b),
            (Self::Requantize(a), Self::Requantize(b)) => a.is(b),
            (Self::Relu { low: a }, Self::Relu { low: b }) => a == b,
            (Self::MaxPool(a), Self::MaxPool(b)) => a == b,
            (Self::AveragePool(a), Self::AveragePool(b)) => a.is(b),
            (Self::Flatten(a), Self::Flatten(b)) => a == b,
            (Self::Identity, Self::Identity) => true,
            _ => false,
        }
    }
}

impl FlattenOrder {
    fn run(self, input: &Values) -> Result<Values, ShapeError> {
        let [n, c, h, w] = reference::geometry::rank("input of flatten", input.shape())?;
        let shape = [n, c * h * w];
        match self {
            Self::Chw => input.clone().reshape(&shape),
            Self::Hwc => {
                let mut data = Vec::with_capacity(input.data().len());
                for image in 0..n {
                    for at in 0..h * w {
                        data.extend((0..c).map(|channel| input.item(image)[channel * h * w + at]));
                    }
                }
                Tensor::new(&shape, data)
            }
        }
    }
}
