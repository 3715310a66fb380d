//! The algorithms compiled for this instruction set.

crate::entry::entry_points!(
    Avx512Vnni,
    super::vector::Avx512,
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
);
