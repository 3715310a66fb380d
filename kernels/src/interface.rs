//! What every instruction set offers, under the same names.

use quant::{Rounding, Scale};

use crate::Isa;
use crate::packing::{AveragePoolPlan, PackedConv2d, PackedLinear, PoolPlan};

/// One instruction set's kernels; holding the value proves that this CPU can run
/// them. Each works on one image.
#[derive(Clone, Copy, Debug)]
pub struct Kernels {
    /// What they are written for.
    pub isa: Isa,
    /// Image CHW to accumulators OH'W'.
    pub conv2d_s8: fn(&[i8], &PackedConv2d, &mut [i32]),
    /// Features to accumulators.
    pub linear_s8: fn(&[i8], &PackedLinear, &mut [i32]),
    /// Accumulators to codes, eq. 6 and 7.
    pub requantize_s32: fn(&[i32], Scale, Rounding, &mut [i8]),
    /// max(0, q) in place.
    pub relu_s8: fn(&mut [i8]),
    /// Image CHW to CH'W'.
    pub max_pool2d_s8: fn(&[i8], &PoolPlan, &mut [i8]),
    /// Image CHW to CH'W'.
    pub average_pool2d_s8: fn(&[i8], &AveragePoolPlan, Rounding, &mut [i8]),
}
