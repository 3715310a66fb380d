//! NNTool's SQ8: worked vectors, and what its formulas promise in exact rationals.

mod promises;
mod ranges;
mod worked_vectors;
