//! The tests of the crate in one program: they share what they read, and it is linked once.

mod add_in_kernels;
mod affine_matches_golden;
mod contracts_in_kernels;
mod floats_match_reference;
#[cfg(unix)]
mod guard_pages;
mod kernels_match_golden;
