//! 256-bit vectors with `vpdpbusd`, as CPUs without AVX-512 have it.
//!
//! Vectors are those of [`avx2`](super::avx2); the products are one instruction instead of
//! four, and leave registers for larger tiles.

mod bytes;
mod entry;
mod vector;
mod words;

pub(crate) use entry::table;
