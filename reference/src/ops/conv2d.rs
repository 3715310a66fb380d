//! Two-dimensional convolution (cross-correlation, as in every framework).

use rayon::prelude::*;

use super::linear::{add_times, check_bias};
use crate::element::Summand;
use crate::{Conv2dGeometry, Element, ShapeError, Tensor};

/// `O[n, o, y, x] = β[o] + Σ_(c, ky, kx) W[o, c, ky, kx] · I[n, g·C/G + c, iy, ix]`
/// with `iy = y·stride + ky·dilation − padding`, `ix` alike, zero outside the
/// image; g is the group of o, of G groups.
///
/// Input [N, C, H, W], weight [O, C/G, kernel height, kernel width].
///
/// # Errors
/// Shapes that do not fit.
pub fn conv2d<E: Element>(
    input: &Tensor<E>,
    weight: &Tensor<E>,
    bias: Option<&[E]>,
    geometry: &Conv2dGeometry,
) -> Result<Tensor<E>, ShapeError> {
    let bias: Option<Vec<E::Accumulator>> = bias.map(|b| b.iter().map(|b| b.widen()).collect());
    Ok(conv2d_sums(input, weight, bias.as_deref(), geometry)?.map(E::narrow))
}

/// The sums of [`conv2d`] before they are rounded to the element type; of int8
/// codes, the int32 accumulators.
///
/// Each output is summed in the order (bias, c, ky, kx). All outputs of a channel are
/// summed together: on the zero-padded image a tap reads the whole plane, shifted.
///
/// # Errors
/// Shapes that do not fit.
pub fn conv2d_sums<E: Summand>(
    input: &Tensor<E>,
    weight: &Tensor<E>,
    bias: Option<&[E::Sum]>,
    geometry: &Conv2dGeometry,
) -> Result<Tensor<E::Sum>, ShapeError> {
    let shape @ [_, outputs, out_h, out_w] =
        geometry.output_shape(input.shape(), weight.shape())?;
    check_bias(bias.map(<[E::Sum]>::len), outputs)?;
    let weights = weight.map(E::widen);
    let mut output = Tensor::full(&shape, E::Sum::default())?;
    if output.data().is_empty() {
        return Ok(output);
    }
    let group_inputs = weight.shape()[1];
    let group_outputs = outputs / geometry.groups;
    (output.data_mut())
        .par_chunks_exact_mut(outputs * out_h * out_w)
        .enumerate()
        .for_each(|(n, maps)| {
            let image = Padded::new(input, n, geometry);
            let taps = Taps::new(&image, weight.shape(), geometry);
            // Every position at stride 1, the padded image's width a row; those that a
            // stride or the right edge leaves out are computed and not read.
            let mut sums = vec![E::Sum::default(); image.plane - taps.last];
            for (o, map) in maps.chunks_exact_mut(out_h * out_w).enumerate() {
                sums.fill(bias.map_or(E::Sum::default(), |bias| bias[o]));
                let first_channel = o / group_outputs * group_inputs;
                let mut w = weights.item(o).iter();
                for channel in first_channel..first_channel + group_inputs {
                    let plane = &image.values[channel * image.plane..][..image.plane];
                    for (&shift, &w) in taps.shifts.iter().zip(&mut w) {
                        add_times(&mut sums, w, &plane[shift..]);
                    }
                }
                for (y, row) in map.chunks_exact_mut(out_w).enumerate() {
                    let line = &sums[y * geometry.stride[0] * image.width..];
                    for (out, &sum) in row.iter_mut().zip(line.iter().step_by(geometry.stride[1])) {
                        *out = sum;
                    }
                }
            }
        });
    Ok(output)
}

/// One image with zeros around it.
struct Padded<S> {
    values: Vec<S>,
    width: usize,
    /// Values of one channel.
    plane: usize,
}

impl<S: Copy + Default> Padded<S> {
    fn new<E: Summand<Sum = S>>(input: &Tensor<E>, n: usize, geometry: &Conv2dGeometry) -> Self {
        let [_, channels, height, width] = [0, 1, 2, 3].map(|axis| input.shape()[axis]);
        let [top, left] = geometry.padding;
        let padded_width = width + 2 * left;
        let plane = (height + 2 * top) * padded_width;
        let mut values = vec![S::default(); channels * plane];
        for (row, line) in input.item(n).chunks_exact(width.max(1)).enumerate() {
            let (channel, y) = (row / height, row % height);
            let start = channel * plane + (y + top) * padded_width + left;
            for (value, x) in values[start..].iter_mut().zip(line) {
                *value = x.widen();
            }
        }
        Self {
            values,
            width: padded_width,
            plane,
        }
    }
}

/// How far into the padded plane each tap (ky, kx) reads.
struct Taps {
    shifts: Vec<usize>,
    last: usize,
}

impl Taps {
    fn new<S>(image: &Padded<S>, weight: &[usize], geometry: &Conv2dGeometry) -> Self {
        let [dy, dx] = geometry.dilation;
        let shifts: Vec<usize> = (0..weight[2])
            .flat_map(|ky| (0..weight[3]).map(move |kx| ky * dy * image.width + kx * dx))
            .collect();
        let last = shifts.last().copied().unwrap_or(0);
        Self { shifts, last }
    }
}
