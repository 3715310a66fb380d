//! What int8 means.
//!
//! The formulas of `docs/quantization.md` (equations are cited by number), the
//! scales in three conventions, the derived bounds, and the golden integer
//! interpreter. Pure: no I/O, no SIMD.
//!
//! Start at [`formulas`]: O1q and Oiq are in [`formulas::output`].

#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

pub mod accumulator;
pub mod affine;
pub mod bounds;
pub mod calibrator;
pub mod contracts;
pub mod error;
pub mod formulas;
pub mod golden;
pub mod graph;
pub mod network;
pub mod observers;
pub mod prove;
pub mod rounding;
pub mod scale;
pub mod scale_rule;
pub mod scheme;
pub mod sq8;
pub mod symbolic;

pub use error::QuantError;
pub use formulas::activations::quantize_activations;
pub use formulas::bias::quantized_bias;
pub use formulas::input::quantize_initial_input;
pub use formulas::weights::quantized_weights;
pub use network::{QuantNetwork, QuantWeights};
pub use rounding::Rounding;
pub use scale::Scale;
