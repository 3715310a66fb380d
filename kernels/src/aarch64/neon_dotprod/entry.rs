//! The algorithms compiled for this instruction set.

crate::entry::entry_points!(
    super::vector::Vector,
    #[target_feature(enable = "neon,dotprod")]
);
