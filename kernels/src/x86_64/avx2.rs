//! 256-bit vectors with `vpmaddwd`.
//!
//! `vpmaddubsw`, which multiplies bytes, saturates its sums of two products to 16 bits
//! (255·127 + 255·127 = 64,770 becomes 32,767). It is not used: the bytes at even and at odd
//! places are widened to words first, whose products `vpmaddwd` adds in 32 bits. On the CPUs
//! that this was measured on both ways take as many multiplications.

mod bytes;
mod entry;
mod vector;
mod words;

pub(crate) use entry::table;
pub(super) use vector::{Family, Vector256};
