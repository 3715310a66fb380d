//! The golden model's integers, faster.
//!
//! [`Kernels`] is one instruction set's; [`dispatch`] chooses at run time. Each kernel is
//! bit-exact with `quant::golden`, which is the judge. [`Executor`] runs a whole quantized
//! network; [`Conv2d`] and [`Linear`] are single layers.
//!
//! What the kernels compute is written once, in `algorithms`, over the few operations that a
//! folder for each instruction set defines (`portable`, `x86_64/…`, `aarch64/…`).
//!
//! Inputs are validated when weights are packed, so the kernels cannot fail. int32 sums cannot
//! overflow: a `QuantNetwork` is the proof. Partial sums may wrap, modulo 2³².

#![deny(unsafe_op_in_unsafe_fn)]
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

#[cfg(target_endian = "big")]
compile_error!("quads and words are packed, and read, with the low byte first");

#[cfg(target_arch = "aarch64")]
mod aarch64;
pub mod add;
pub mod affine;
mod algorithms;
mod aligned;
pub mod conv2d;
pub mod dispatch;
mod entry;
pub mod executor;
pub mod float;
mod fusion;
mod groups;
mod interface;
pub mod isa;
pub mod layout;
pub mod linear;
mod packing;
mod portable;
mod prefetch;
pub mod prove;
pub mod requantizer;
mod scratch;
mod simd;
#[cfg(target_arch = "x86_64")]
mod x86_64;

pub use add::Add;
pub use affine::AffineExecutor;
pub use conv2d::Conv2d;
pub use executor::Executor;
pub use float::FloatExecutor;
pub use interface::Kernels;
pub use isa::{Isa, IsaError};
pub use linear::Linear;
