//! The algorithms compiled for this instruction set.

crate::entry::entry_points!(
    Avx2,
    super::vector::Vector256<super::vector::Avx2>,
    #[target_feature(enable = "avx2")]
);
