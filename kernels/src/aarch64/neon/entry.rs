//! The algorithms compiled for this instruction set.

crate::entry::entry_points!(
    Neon,
    super::vector::Vector128<super::vector::Neon>,
    #[target_feature(enable = "neon")]
);
