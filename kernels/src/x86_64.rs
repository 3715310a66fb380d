//! x86-64: a folder for each instruction set, with the same files in each.

pub(crate) mod avx2;
pub(crate) mod avx512_vnni;
pub(crate) mod avx_vnni;
