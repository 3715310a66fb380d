//! 128-bit vectors with `sdot`: 16 multiply-adds of bytes an instruction.
//!
//! Vectors are those of [`neon`](super::neon), and so are products of words.

mod bytes;
mod entry;
mod vector;
mod words;

pub(crate) use entry::table;
