//! Contracts against worked vectors, at their limits, and against each other; and named by
//! their codes alone.

mod classes;
mod identify;
mod limits;
mod worked_vectors;
