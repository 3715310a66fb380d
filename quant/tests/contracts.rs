//! Contracts against worked vectors, at their limits, and against each other; and named by
//! their codes alone.

mod around;
mod classes;
mod directed;
mod identify;
mod limits;
mod multiply_shift;
mod network_channels;
mod perturbed;
mod recipes;
mod worked_vectors;
