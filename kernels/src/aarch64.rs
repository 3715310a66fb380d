//! 64-bit Arm: a folder for each instruction set, with the same files in each.

// NEON belongs to the target, so its intrinsics are safe here; elsewhere they are not.
#![allow(unused_unsafe)]

pub(crate) mod neon;
pub(crate) mod neon_dotprod;
