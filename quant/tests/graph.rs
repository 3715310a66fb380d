//! Graphs as NNTool works on them: names, the two passes, and that neither changes a value.

mod adjust;
mod errors;
mod fusions;
mod networks;
mod random;
