//! Largest value of a window.

use crate::{PoolGeometry, ShapeError, Tensor};

/// `O[n, c, y, x] = max I[n, c, iy, ix]` over the window's positions inside the
/// image; padding takes no part. A NaN in the window gives NaN, as in PyTorch.
/// For any ordered type, codes included.
///
/// # Errors
/// Shapes that do not fit.
pub fn max_pool2d<E: Copy + PartialOrd>(
    input: &Tensor<E>,
    geometry: &PoolGeometry,
) -> Result<Tensor<E>, ShapeError> {
    let shape @ [items, channels, out_h, out_w] = geometry.output_shape(input.shape())?;
    let (height, width) = (input.shape()[2], input.shape()[3]);
    let [rows, columns] = geometry.spans([height, width], [out_h, out_w]);
    let mut data = Vec::with_capacity(items * channels * out_h * out_w);
    for plane in 0..items * channels {
        let plane = &input.data()[plane * height * width..][..height * width];
        for window_rows in &rows {
            for window_columns in &columns {
                let lines =
                    (window_rows.clone()).map(|iy| &plane[iy * width..][window_columns.clone()]);
                // Padding is at most half the kernel: every window holds a position.
                data.extend(lines.flatten().copied().reduce(larger));
            }
        }
    }
    Tensor::new(&shape, data)
}

/// The larger; a value that is not equal to itself (NaN) wins over all.
fn larger<E: Copy + PartialOrd>(best: E, candidate: E) -> E {
    let nan = candidate.partial_cmp(&candidate).is_none();
    if candidate > best || nan {
        candidate
    } else {
        best
    }
}
