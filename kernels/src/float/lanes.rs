//! Images side by side.

use pulp::{Simd, bytemuck};
use reference::Tensor;

/// The images `first .. first + count`, one a lane; lanes beyond hold zeros.
#[inline(always)]
pub(super) fn pack<S: Simd>(
    simd: S,
    images: &Tensor<f32>,
    first: usize,
    count: usize,
) -> Vec<S::f32s> {
    let mut vectors = vec![simd.splat_f32s(0.0); images.item_len()];
    let values: &mut [f32] = bytemuck::cast_slice_mut(&mut vectors);
    for lane in 0..count {
        let image = images.item(first + lane);
        for (value, &x) in values[lane..].iter_mut().step_by(S::F32_LANES).zip(image) {
            *value = x;
        }
    }
    vectors
}

/// The lanes one after the other, as many as `items` holds.
#[inline(always)]
pub(super) fn unpack<S: Simd>(vectors: &[S::f32s], items: &mut [f32]) {
    let values: &[f32] = bytemuck::cast_slice(vectors);
    for (lane, item) in items.chunks_exact_mut(vectors.len().max(1)).enumerate() {
        for (out, &value) in item
            .iter_mut()
            .zip(values[lane..].iter().step_by(S::F32_LANES))
        {
            *out = value;
        }
    }
}
