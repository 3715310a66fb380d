//! The tests of the crate in one program: they share what they read, and it is linked once.

#[cfg(unix)]
mod c_libraries;
mod command_line;
#[path = "../../fixtures/tests/common/mod.rs"]
mod common;
mod contracts;
mod derivations;
mod documents;
mod front_door;
mod nntool;
mod outputs;
