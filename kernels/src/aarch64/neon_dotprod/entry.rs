//! The algorithms compiled for this instruction set.

crate::entry::entry_points!(
    NeonDotprod,
    super::vector::Vector,
    #[target_feature(enable = "neon,dotprod")]
);
