//! The formulas, one a file, in the order in which a network is quantized.
//!
//! | formula | file |
//! | --- | --- |
//! | W_iq and s_Wi | [`weights`] |
//! | I_q and s_I | [`input`] |
//! | **O1q, Oiq** | [`output`] |
//! | the accumulator's scale | [`composed`] |
//! | s_Oi | [`activations`] |
//! | β_iq and s_βi | [`bias`] |
//! | relative, multiply, absolute | [`conventions`] |
//!
//! In all of them `ss` holds (s_W, s_O) of the *earlier* layers only, first
//! layer first; the empty product is 1.

pub mod activations;
pub mod bias;
pub mod composed;
pub mod conventions;
pub mod input;
pub mod output;
pub mod weights;

use crate::{Rounding, Scale};

/// The largest int8 code.
pub const QMAX: f32 = i8::MAX as f32;

/// The smallest int8 code.
pub const QMIN: f32 = i8::MIN as f32;

/// Eq. 1 with z = 0: `q = clamp(round(x / s))` to [−128, 127]; the quotient is
/// an f32 division, as PyTorch's.
pub fn quantize(x: f32, scale: Scale, rounding: Rounding) -> i8 {
    // `as` saturates to the type.
    rounding.round(f64::from(x / scale.get())) as i8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantize_saturates_on_both_sides_and_rounds_ties_to_even() {
        let half = Scale::new(0.5).unwrap();
        let codes = [
            -1000.0, -64.25, -64.0, -63.75, 0.25, 0.75, 63.25, 63.5, 63.75, 1e30,
        ]
        .map(|x| quantize(x, half, Rounding::TiesToEven));
        assert_eq!(codes, [-128, -128, -128, -128, 0, 2, 126, 127, 127, 127]);
    }

    proptest! {
        #[test]
        fn quantize_is_monotone(a in -300f32..300., b in -300f32..300., s in 0.01f64..3.) {
            let s = Scale::new(s).unwrap();
            for rounding in Rounding::ALL {
                let (low, high) = (a.min(b), a.max(b));
                prop_assert!(quantize(low, s, rounding) <= quantize(high, s, rounding));
            }
        }
    }
}
