//! The golden model's integers, faster.
//!
//! [`Kernels`] is one instruction set's kernels behind one interface; [`dispatch`]
//! chooses at run time. Each kernel is bit-exact with `quant::golden`, which is the
//! judge. [`Executor`] runs a whole quantized network.
//!
//! Inputs are validated when weights are packed, so the kernels cannot fail. int32
//! sums cannot overflow: a `QuantNetwork` is the proof, and single layers are packed
//! only with the same proof.

#![deny(unsafe_op_in_unsafe_fn)]
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

pub mod dispatch;
pub mod executor;
pub mod float;
pub mod interface;
pub mod isa;
pub mod packing;
pub mod scalar;

pub use executor::Executor;
pub use float::FloatExecutor;
pub use interface::Kernels;
pub use isa::{Isa, IsaError};
