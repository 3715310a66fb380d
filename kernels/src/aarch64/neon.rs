//! 128-bit vectors, bytes multiplied to words and added in pairs.
//!
//! Products of bytes are signed times signed here, so 128 is taken from the activations first
//! (`SHIFT`). (−128)·(−128) is 16,384 and fits a word; pairs are added in 32 bits.

mod bytes;
mod entry;
mod vector;
mod words;

pub(super) use bytes::signed;
pub(crate) use entry::table;
pub(super) use vector::{Family, Vector128};
pub(super) use words::Words;
