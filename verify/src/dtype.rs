//! The types in which tensors are stored.

use std::io;
use std::ops::RangeInclusive;

use quant::scheme::Grid;
use serde::{Deserialize, Serialize};

use crate::files::npy_bytes;
use crate::model::Node;

/// The type of a tensor's values in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// Codes of a signed grid, and weights.
    Int8,
    /// Codes of an unsigned grid, and pixels.
    Uint8,
    /// Accumulators and biases.
    Int32,
}

impl Dtype {
    /// Of the codes of a grid of at most 8 bits.
    pub fn of_grid(grid: Grid) -> Self {
        match grid.signed {
            true => Self::Int8,
            false => Self::Uint8,
        }
    }

    /// Of a node's output.
    pub fn of_node(node: &Node) -> Self {
        node.params
            .map_or(Self::Int32, |params| Self::of_grid(params.grid))
    }

    /// NumPy's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Int8 => "int8",
            Self::Uint8 => "uint8",
            Self::Int32 => "int32",
        }
    }

    /// Of a value.
    pub fn bits(self) -> u32 {
        match self {
            Self::Int8 | Self::Uint8 => 8,
            Self::Int32 => 32,
        }
    }

    /// The values that it holds.
    pub fn range(self) -> RangeInclusive<i32> {
        match self {
            Self::Int8 => -128..=127,
            Self::Uint8 => 0..=255,
            Self::Int32 => i32::MIN..=i32::MAX,
        }
    }

    /// Row-major values of this shape as a npy file; those beyond the range become its end.
    ///
    /// # Errors
    /// The values are not as many as the shape says.
    pub fn npy(self, shape: &[usize], values: impl Iterator<Item = f64>) -> io::Result<Vec<u8>> {
        match self {
            Self::Int8 => npy_bytes(shape, &values.map(|x| x as i8).collect::<Vec<_>>()),
            Self::Uint8 => npy_bytes(shape, &values.map(|x| x as u8).collect::<Vec<_>>()),
            Self::Int32 => npy_bytes(shape, &values.map(|x| x as i32).collect::<Vec<_>>()),
        }
    }
}
