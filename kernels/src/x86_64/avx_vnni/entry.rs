//! The algorithms compiled for this instruction set.

crate::entry::entry_points!(
    AvxVnni,
    super::vector::Vector,
    #[target_feature(enable = "avx2,avxvnni")]
);
