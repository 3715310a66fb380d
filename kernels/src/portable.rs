//! Plain Rust, for every CPU: what the others must equal.

mod bytes;
mod entry;
mod vector;
mod words;

pub(crate) use entry::table;
