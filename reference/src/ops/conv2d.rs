//! Two-dimensional convolution (cross-correlation, as in every framework).

use num_traits::Zero;
use rayon::prelude::*;

use super::linear::check_bias;
use crate::{Conv2dGeometry, Element, ShapeError, Tensor};

/// `O[n, o, y, x] = β[o] + Σ_(c, ky, kx) W[o, c, ky, kx] · I[n, g·C/G + c, iy, ix]`
/// with `iy = y·stride + ky·dilation − padding`, `ix` alike, zero outside the
/// image; g is the group of o, of G groups.
///
/// Input [N, C, H, W], weight [O, C/G, kernel height, kernel width]. Each output
/// is summed in the order (bias, c, ky, kx); a row of outputs is summed together.
///
/// # Errors
/// Shapes that do not fit.
pub fn conv2d<E: Element>(
    input: &Tensor<E>,
    weight: &Tensor<E>,
    bias: Option<&[E]>,
    geometry: &Conv2dGeometry,
) -> Result<Tensor<E>, ShapeError> {
    let shape @ [_, outputs, out_h, out_w] = geometry.output_shape(input.shape(), weight.shape())?;
    check_bias(bias.map(<[E]>::len), outputs)?;
    let (height, width) = (input.shape()[2], input.shape()[3]);
    let [_, group_inputs, kh, kw] = [0, 1, 2, 3].map(|axis| weight.shape()[axis]);
    let group_outputs = outputs / geometry.groups;
    let [rows, columns] = geometry.windows([kh, kw]);

    let weights = weight.map(|w| w.widen());
    let mut output = Tensor::full(&shape, E::zero())?;
    if output.data().is_empty() {
        return Ok(output);
    }
    output
        .data_mut()
        .par_chunks_exact_mut(outputs * out_h * out_w)
        .enumerate()
        .for_each(|(n, image)| {
            let pixels: Vec<E::Accumulator> = input.item(n).iter().map(|x| x.widen()).collect();
            let mut sums = vec![E::Accumulator::zero(); out_w];
            for (row, out_row) in image.chunks_exact_mut(out_w).enumerate() {
                let (o, y) = (row / out_h, row % out_h);
                let first_channel = o / group_outputs * group_inputs;
                sums.fill(bias.map_or(E::Accumulator::zero(), |bias| bias[o].widen()));
                for c in 0..group_inputs {
                    for ky in 0..kh {
                        let Some(iy) = rows.input_at(y, ky, height) else {
                            continue;
                        };
                        let line = &pixels[((first_channel + c) * height + iy) * width..][..width];
                        for kx in 0..kw {
                            let inside = columns.outputs_inside(kx, width, out_w);
                            let Some(ix) = columns.input_at(inside.start, kx, width) else {
                                continue;
                            };
                            let w = weights[[o, c, ky, kx]];
                            add_scaled(&mut sums[inside], w, &line[ix..], columns.stride);
                        }
                    }
                }
                for (out, &sum) in out_row.iter_mut().zip(&sums) {
                    *out = E::narrow(sum);
                }
            }
        });
    Ok(output)
}

/// `sums[j] += w · x[j·stride]`.
fn add_scaled<A: Element>(sums: &mut [A], w: A, x: &[A], stride: usize) {
    if stride == 1 {
        // The same sums; written apart because the compiler vectorizes this one.
        for (sum, &x) in sums.iter_mut().zip(x) {
            *sum = *sum + w * x;
        }
    } else {
        for (sum, &x) in sums.iter_mut().zip(x.iter().step_by(stride)) {
            *sum = *sum + w * x;
        }
    }
}
