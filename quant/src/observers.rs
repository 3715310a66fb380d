//! Ranges of tensors.

mod max_abs;

pub use max_abs::max_abs;
