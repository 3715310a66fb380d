//! To codes and back: [`QuantParams::round_trip`], a vector at a time.

use pulp::Simd;
use quant::scheme::QuantParams;

/// Where float32 has only integers.
const INTEGERS: f32 = 1.5 * (1 << 23) as f32;

/// Every value through its code.
#[inline(always)]
pub(super) fn round_trips<S: Simd>(simd: S, params: &QuantParams, values: &mut [S::f32s]) {
    // Of 17 bits at most: exact.
    let [low, high] = params.reach();
    let [low, high] = [simd.splat_f32s(low as f32), simd.splat_f32s(high as f32)];
    let zero = simd.splat_f32s(-params.zero_point as f32);
    let scale = simd.splat_f32s(params.scale.get());
    let integers = simd.splat_f32s(INTEGERS);
    for x in values {
        let steps = simd.div_f32s(*x, scale);
        let steps = simd.select_f32s(simd.equal_f32s(steps, steps), steps, zero);
        let steps = simd.select_f32s(simd.less_than_f32s(steps, low), low, steps);
        let steps = simd.select_f32s(simd.greater_than_f32s(steps, high), high, steps);
        let steps = simd.sub_f32s(simd.add_f32s(steps, integers), integers);
        *x = simd.mul_f32s(scale, steps);
    }
}
