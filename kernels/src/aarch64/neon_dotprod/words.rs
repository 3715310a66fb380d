//! Pairs of words, as NEON has them.

pub(super) use crate::aarch64::neon::Words;
