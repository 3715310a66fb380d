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
        let [rows, columns] = self.window.windows();
        let mut data = Vec::with_capacity(items * channels * out_h * out_w);
        for plane in 0..items * channels {
            let plane = &input.data()[plane * height * width..][..height * width];
            for y in 0..out_h {
                for x in 0..out_w {
                    let (mut sum, mut inside) = (zero, 0);
                    for iy in rows
                        .taps_inside(y, height)
                        .filter_map(|ky| rows.input_at(y, ky, height))
                    {
                        for ix in columns
                            .taps_inside(x, width)
                            .filter_map(|kx| columns.input_at(x, kx, width))
                        {
                            sum = add(sum, plane[iy * width + ix]);
                            inside += 1;
                        }
                    }
                    let count = if self.count_include_pad {
                        rows.kernel * columns.kernel
                    } else {
                        inside
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
