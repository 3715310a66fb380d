//! What a memory image leaves open.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

/// How the memory images are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HexOptions {
    /// How codes lie in words; a bias or an accumulator is a 32-bit word in any case.
    pub word: Word,
    /// Each row (the last axis) of codes is filled up with zeros to a multiple of so many.
    pub row_padding: NonZeroUsize,
    /// Whether a comment names each tensor.
    pub comments: bool,
    /// The weighted layer of the test bench; the last if none is named.
    pub bench: Option<String>,
}

/// The words of codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// One code each.
    Bits8,
    /// Four codes each.
    Bits32(First),
}

/// Where in a word its first code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum First {
    /// Bits 7:0, little-endian.
    Low,
    /// Bits 31:24, big-endian.
    High,
}

impl Default for HexOptions {
    fn default() -> Self {
        Self {
            word: Word::Bits32(First::Low),
            row_padding: NonZeroUsize::MIN,
            comments: true,
            bench: None,
        }
    }
}
