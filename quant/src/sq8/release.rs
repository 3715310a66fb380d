//! What releases of the SDK do when nothing else is said.

use crate::scheme::Granularity;

/// Releases that quantize alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SdkRelease {
    /// 4.22 and later: outputs may have zero points.
    V4_22,
    /// 4.0 to 4.13: outputs have none unless it is asked for.
    V4_13,
}

/// What a user may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sq8Options {
    /// Whether outputs may have a zero point: `allow_asymmetric_out`.
    pub asymmetric_outputs: bool,
    /// One weight scale an output channel, or one a tensor: `quantized_dimension`.
    pub weights: Granularity,
}

impl SdkRelease {
    /// Its defaults.
    pub fn options(self) -> Sq8Options {
        Sq8Options {
            asymmetric_outputs: matches!(self, Self::V4_22),
            weights: Granularity::PerChannel,
        }
    }
}
