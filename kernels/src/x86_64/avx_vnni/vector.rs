//! Eight int32 lanes: those of AVX2 with other products.

use super::bytes::Bytes;
use super::words::Words;
use crate::x86_64::avx2::{Family, Vector256};

/// AVX2 with AVX-VNNI.
#[derive(Clone, Copy, Debug)]
pub(super) struct AvxVnni;

impl Family for AvxVnni {
    const TILE_PIXELS: [usize; 3] = [10, 4, 0];
    const PIXEL_TILE_CHANNELS: usize = 3;
    type Bytes = Bytes;
    type Words = Words;
}

/// The vectors.
pub(super) type Vector = Vector256<AvxVnni>;
