//! The algorithms compiled for every CPU.

crate::entry::entry_points!(super::vector::Portable,);
