//! Four int32 lanes: those of NEON with another product of bytes.

use super::bytes::Bytes;
use super::words::Words;
use crate::aarch64::neon::{Family, Vector128};

/// NEON with dot products.
#[derive(Clone, Copy, Debug)]
pub(super) struct NeonDotprod;

impl Family for NeonDotprod {
    const TILE_PIXELS: [usize; 3] = [24, 8, 6];
    const PIXEL_TILE_CHANNELS: usize = 6;
    type Bytes = Bytes;
    type Words = Words;
}

/// The vectors.
pub(super) type Vector = Vector128<NeonDotprod>;
