//! The tests of the crate in one program: they share what they read, and it is linked once.

mod common;
mod contracts;
mod every_scheme_is_sound;
mod executors_by_hand;
mod formulas_cancel_exactly;
mod formulas_that_people_write;
mod golden_matches_pytorch;
mod graph;
mod int8_within_bounds;
mod library_vectors;
mod operator_vectors;
mod pytorch;
mod qat_matches_pytorch;
mod schemes_match_pytorch;
mod sq8;
mod wrong_formulas_are_rejected;
