//! What the kernels compute, written once for all instruction sets.

pub(crate) mod affine;
pub(crate) mod channels;
mod codes;
pub(crate) mod depthwise;
pub(crate) mod peak;
pub(crate) mod pixels;
mod pool;
pub(crate) mod requantize;
mod simple;

pub(crate) use codes::{Code, OfCodes};
pub(crate) use pool::Pool;
pub(crate) use simple::Simple;
