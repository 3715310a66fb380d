//! Largest code of each window, a row of outputs at a time.

use crate::packing::PoolPlan;

/// `out[c, y, x] = max image[c, iy, ix]` over the positions inside the image.
pub(super) fn max_pool2d_s8_scalar(image: &[i8], plan: &PoolPlan, out: &mut [i8]) {
    let [_, height, width] = plan.input;
    let [_, out_h, out_w] = plan.output;
    let [rows, columns] = plan.windows;
    for (row, best) in out.chunks_exact_mut(out_w).enumerate() {
        let (c, y) = (row / out_h, row % out_h);
        best.fill(i8::MIN);
        for iy in rows
            .taps_inside(y, height)
            .filter_map(|ky| rows.input_at(y, ky, height))
        {
            let line = &image[(c * height + iy) * width..][..width];
            for kx in 0..columns.kernel.min(columns.padding + width) {
                let inside = columns.outputs_inside(kx, width, out_w);
                if let Some(ix) = columns.input_at(inside.start, kx, width) {
                    let codes = line[ix..].iter().step_by(columns.stride);
                    for (best, &code) in best[inside].iter_mut().zip(codes) {
                        *best = (*best).max(code);
                    }
                }
            }
        }
    }
}
