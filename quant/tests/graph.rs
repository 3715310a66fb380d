//! Graphs as NNTool works on them: names, the two passes, and that neither changes a value.

#[path = "graph/adjust.rs"]
mod adjust;
#[path = "graph/errors.rs"]
mod errors;
#[path = "graph/fusions.rs"]
mod fusions;
#[path = "graph/networks.rs"]
mod networks;
#[path = "graph/random.rs"]
mod random;
