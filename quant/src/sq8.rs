//! SQ8: how GreenWaves' NNTool makes an int8 network for GAP8 and GAP9 (eq. 23 to 30).
//!
//! Weights have one symmetric scale an output channel, activations one a tensor, with or without
//! a zero point. Both zero points are folded into the stored bias, so that a layer is
//!
//! ```text
//! acc  = Bq + Σ Xq·Wq                        int32
//! code = clamp((acc·S + 2^(N−1)) >> N)       int32, S 8 bits
//! ```
//!
//! and a ReLU is a clamp from below at the output's zero point. A layer requantizes straight into
//! the type of the ReLU that follows it. Everything is rounded ⌊x + ½⌋, zero points aside.
//!
//! The formulas are those of release 4.22 of the SDK; [`SdkRelease`] names what was otherwise
//! before.

mod activations;
mod bias;
mod infos;
mod mean;
mod multiplier;
mod network;
mod observe;
pub mod out_scale;
mod params;
mod qsnr;
mod release;
mod weights;

pub use activations::Activations;
pub use bias::{bias_code, stored_bias};
pub use infos::Infos;
pub use mean::mean;
pub use multiplier::{accumulator_bits, multiplicative_bias, multiplier_bits};
pub use network::{Sq8Network, Sq8Weights};
pub use observe::NodeRanges;
pub use params::Sq8Params;
pub use qsnr::qsnr;
pub use release::{SdkRelease, Sq8Options};
pub use weights::{LARGEST_WEIGHT, weight_code, weight_scale};

pub use crate::contracts::sq8::Sq8Scale;

/// ⌊x + ½⌋ in float64, the sum rounded: what NNTool does where it has no integers.
fn round(x: f64) -> f64 {
    (x + 0.5).floor()
}
