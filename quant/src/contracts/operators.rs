//! Contracts of the operators beside requantization: quantize, add and average pool.
//!
//! | operator | from | to | file |
//! | --- | --- | --- | --- |
//! | quantize | a float32 value | a code | [`quantize`] |
//! | add | two codes | a code | [`add`] |
//! | average pool | the sum of a window's codes | a code | [`average_pool`] |
//!
//! Libraries compute blocks of a vector's size one way and what is left over another: these are
//! contracts of their own, and say where they hold. Notation as in [`contracts`](super).

pub mod add;
pub mod average_pool;
mod contract;
mod grid;
pub mod quantize;

pub use contract::{OperatorContract, Site};
pub use grid::Grid;
