//! Mean of a window.

use num_traits::{NumCast, Zero};

use crate::{Element, PoolGeometry, ShapeError, Tensor};

/// A pooling window and what its mean is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AveragePoolGeometry {
    /// The window.
    pub window: PoolGeometry,
    /// Padding counts as zeros (PyTorch's default); else the mean is over the
    /// positions inside the image.
    pub count_include_pad: bool,
}

impl AveragePoolGeometry {
    /// `O[n, c, y, x] = divide(Σ I[n, c, iy, ix], count)` over each window, the
    /// sum starting from `zero` in the order (iy, ix). Shared by the float and
    /// the integer operator, which differ in what they sum and how they divide.
    ///
    /// # Errors
    /// Shapes that do not fit.
    pub fn pool<E: Copy, A: Copy, O: Copy>(
        &self,
        input: &Tensor<E>,
        zero: A,
        add: impl Fn(A, E) -> A,
        divide: impl Fn(A, usize) -> O,
    ) -> Result<Tensor<O>, ShapeError> {
        let shape @ [items, channels, out_h, out_w] = self.window.output_shape(input.shape())?;
        let (height, width) = (input.shape()[2], input.shape()[3]);
        let [rows, columns] = self.window.spans([height, width], [out_h, out_w]);
        let [kernel_h, kernel_w] = self.window.kernel;
        let mut data = Vec::with_capacity(items * channels * out_h * out_w);
        for plane in 0..items * channels {
            let plane = &input.data()[plane * height * width..][..height * width];
            for window_rows in &rows {
                for window_columns in &columns {
                    let lines = (window_rows.clone())
                        .map(|iy| &plane[iy * width..][window_columns.clone()]);
                    let sum = lines.flatten().fold(zero, |sum, &value| add(sum, value));
                    let count = match self.count_include_pad {
                        true => kernel_h * kernel_w,
                        false => window_rows.len() * window_columns.len(),
                    };
                    data.push(divide(sum, count));
                }
            }
        }
        Tensor::new(&shape, data)
    }
}

/// `O[n, c, y, x] = (Σ I[n, c, iy, ix]) / count` over each window.
///
/// # Errors
/// Shapes that do not fit.
pub fn average_pool2d<E: Element>(
    input: &Tensor<E>,
    geometry: &AveragePoolGeometry,
) -> Result<Tensor<E>, ShapeError> {
    geometry.pool(
        input,
        E::Accumulator::zero(),
        |sum, x: E| sum + x.widen(),
        |sum, count| {
            let count: E::Accumulator =
                NumCast::from(count).expect("every float type holds a count of taps");
            E::narrow(sum / count)
        },
    )
}
