//! 512-bit vectors with `vpdpbusd`: 64 multiply-adds of bytes an instruction, one a cycle.
//!
//! Four independent accumulators hide its latency of four cycles; 32 registers hold tiles
//! of 6×4, 14×2 or 24×1 vectors.

mod bytes;
mod entry;
mod vector;
mod words;

pub(crate) use entry::table;
