//! What the kernels compute, written once for all instruction sets.

pub(crate) mod channels;
pub(crate) mod depthwise;
pub(crate) mod peak;
pub(crate) mod pixels;
mod simple;

pub(crate) use simple::{Pool, Simple};
