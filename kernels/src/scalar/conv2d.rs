//! Convolution by im2col, one row of outputs at a time.

use super::dot::dot;
use crate::packing::PackedConv2d;

/// `acc[o, y, x] = β[o] + Σ_k W[o, k] · patch[y, x, k]`, k = (c, ky, kx); padding is
/// the code 0.
pub(super) fn conv2d_s8_scalar(image: &[i8], layer: &PackedConv2d, acc: &mut [i32]) {
    let [_, height, width] = layer.input;
    let [outputs, out_h, out_w] = layer.output;
    let group_outputs = outputs / layer.groups;
    let len = layer.rows.len;
    let mut patches = vec![0i16; out_w * len];
    for group in 0..layer.groups {
        let channels = layer.input[0] / layer.groups;
        let planes = &image[group * channels * height * width..][..channels * height * width];
        for y in 0..out_h {
            gather(planes, layer, y, &mut patches);
            for o in group * group_outputs..(group + 1) * group_outputs {
                let row = layer.rows.row(o);
                let sums = &mut acc[(o * out_h + y) * out_w..][..out_w];
                for (sum, patch) in sums.iter_mut().zip(patches.chunks_exact(len)) {
                    *sum = layer.rows.bias[o].wrapping_add(dot(row, patch));
                }
            }
        }
    }
}

/// The patches of one row of outputs, each in the order of a packed row.
fn gather(planes: &[i8], layer: &PackedConv2d, y: usize, patches: &mut [i16]) {
    let [_, height, width] = layer.input;
    let out_w = layer.output[2];
    let [rows, columns] = layer.windows;
    let len = layer.rows.len;
    patches.fill(0);
    for k in 0..len {
        let (line, kx) = (k / columns.kernel, k % columns.kernel);
        let (c, ky) = (line / rows.kernel, line % rows.kernel);
        let Some(iy) = rows.input_at(y, ky, height) else {
            continue;
        };
        let line = &planes[(c * height + iy) * width..][..width];
        for x in columns.outputs_inside(kx, width, out_w) {
            if let Some(ix) = columns.input_at(x, kx, width) {
                patches[x * len + k] = i16::from(line[ix]);
            }
        }
    }
}
