//! Contracts against worked vectors, at their limits, and against each other; and named by
//! their codes alone.

mod classes;
mod identify;
mod limits;
mod network_channels;
mod worked_vectors;
