//! Features times packed rows.

use super::dot::dot;
use crate::packing::PackedLinear;

/// `acc[o] = β[o] + Σ_i W[o, i] · I[i]`.
pub(super) fn linear_s8_scalar(features: &[i8], layer: &PackedLinear, acc: &mut [i32]) {
    let wide: Vec<i16> = features.iter().copied().map(i16::from).collect();
    for (o, acc) in acc.iter_mut().enumerate() {
        *acc = layer.rows.bias[o].wrapping_add(dot(layer.rows.row(o), &wide));
    }
}
