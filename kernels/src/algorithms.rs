//! What the kernels compute, written once for all instruction sets.

pub(crate) mod affine;
pub(crate) mod channels;
pub(crate) mod depthwise;
pub(crate) mod peak;
pub(crate) mod pixels;
pub(crate) mod requantize;
mod simple;

pub(crate) use simple::{Code, Pool, Simple, average_pool, max_pool};
