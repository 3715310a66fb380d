//! The tests of the crate in one program: they share what they read, and it is linked once.

mod network;
mod operators;
