//! What a network means in real numbers.
//!
//! Float operators over f64, f32, f16 and bf16, each the sum that its formula
//! writes, and the [`Network`] description that the other crates share. Images
//! are NCHW, convolution weights OIHW, linear weights [out, in].
//!
//! This crate is normative for reals: where a faster float path disagrees with
//! it by more than the derived bound, the faster path is wrong.

#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

pub mod element;
pub mod error;
pub mod geometry;
pub mod network;
pub mod ops;
pub mod tensor;

pub use element::{Element, Summand};
pub use error::ShapeError;
pub use geometry::{Conv2dGeometry, PoolGeometry, Window};
pub use network::{InputSpec, Layer, Network, Op, WeightShape, Weights};
pub use tensor::Tensor;
