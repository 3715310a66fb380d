//! Mean code of each window, a row of outputs at a time.

use quant::Rounding;

use crate::packing::AveragePoolPlan;

/// `out[c, y, x] = round(Σ image[c, iy, ix] / count)`.
pub(super) fn average_pool2d_s8_scalar(
    image: &[i8],
    plan: &AveragePoolPlan,
    rounding: Rounding,
    out: &mut [i8],
) {
    let [_, height, width] = plan.pool.input;
    let [_, out_h, out_w] = plan.pool.output;
    let [rows, columns] = plan.pool.windows;
    let mut sums = vec![(0i64, 0u32); out_w];
    for (row, means) in out.chunks_exact_mut(out_w).enumerate() {
        let (c, y) = (row / out_h, row % out_h);
        sums.fill((0, 0));
        for iy in rows
            .taps_inside(y, height)
            .filter_map(|ky| rows.input_at(y, ky, height))
        {
            let line = &image[(c * height + iy) * width..][..width];
            for kx in 0..columns.kernel.min(columns.padding + width) {
                for x in columns.outputs_inside(kx, width, out_w) {
                    if let Some(ix) = columns.input_at(x, kx, width) {
                        sums[x].0 += i64::from(line[ix]);
                        sums[x].1 += 1;
                    }
                }
            }
        }
        for (mean, &(sum, inside)) in means.iter_mut().zip(&sums) {
            let count = if plan.count_include_pad {
                (rows.kernel * columns.kernel) as f64
            } else {
                f64::from(inside)
            };
            *mean = rounding.round(sum as f64 / count) as i8;
        }
    }
}
