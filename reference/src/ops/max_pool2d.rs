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
    let [rows, columns] = geometry.windows();
    let mut data = Vec::with_capacity(items * channels * out_h * out_w);
    for plane in 0..items * channels {
        let plane = &input.data()[plane * height * width..][..height * width];
        for y in 0..out_h {
            for x in 0..out_w {
                let mut best: Option<E> = None;
                for iy in rows
                    .taps_inside(y, height)
                    .filter_map(|ky| rows.input_at(y, ky, height))
                {
                    for ix in columns
                        .taps_inside(x, width)
                        .filter_map(|kx| columns.input_at(x, kx, width))
                    {
                        best = Some(best.map_or(plane[iy * width + ix], |best| {
                            larger(best, plane[iy * width + ix])
                        }));
                    }
                }
                // Padding is at most half the kernel: every window holds a position.
                data.extend(best);
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
