//! The algorithms compiled for every CPU.

crate::entry::entry_points!(Portable, super::vector::Portable,);
