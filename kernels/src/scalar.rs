//! The portable path: plain Rust that the compiler vectorizes.
//!
//! Convolution gathers each patch of the image into a row (im2col) and takes dot
//! products of int16 rows; pooling works on whole rows of outputs.

mod average_pool2d;
mod conv2d;
mod dot;
mod linear;
mod max_pool2d;
mod relu;
mod requantize;

use crate::{Isa, Kernels};

/// The kernels that every CPU can run.
pub fn kernels() -> Kernels {
    Kernels {
        isa: Isa::Scalar,
        conv2d_s8: conv2d::conv2d_s8_scalar,
        linear_s8: linear::linear_s8_scalar,
        requantize_s32: requantize::requantize_s32_scalar,
        relu_s8: relu::relu_s8_scalar,
        max_pool2d_s8: max_pool2d::max_pool2d_s8_scalar,
        average_pool2d_s8: average_pool2d::average_pool2d_s8_scalar,
    }
}
