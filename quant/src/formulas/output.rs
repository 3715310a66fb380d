//! O1q and Oiq: an accumulator becomes a code.

use crate::{Rounding, Scale};

/// The output code of layer i for one accumulator.
///
/// - eq. 6: `O1q = clamp(round( (W_1q * I_q + β_1q) / s_O1 ))`
/// - eq. 7: `Oiq = clamp(round( (W_iq * pool(relu(O_(i−1)q)) + β_iq) / s_Oi ))`
///
/// `acc` is the sum in the inner parentheses, which the golden interpreter forms
/// (`golden.rs`). The int32 is converted to f32 (exact below 2²⁴, half to even
/// above), divided by s_Oi in f32, rounded, and clamped to [−128, 127].
pub fn oiq(acc: i32, output_scale: Scale, rounding: Rounding) -> i8 {
    super::quantize(acc as f32, output_scale, rounding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_and_clamp_edges() {
        let four = Scale::new(4.0).unwrap();
        let accs = [
            -515,
            -514,
            -513,
            -510,
            -509,
            -6,
            -2,
            2,
            6,
            505,
            506,
            507,
            510,
            i32::MAX,
        ];
        let codes = accs.map(|acc| oiq(acc, four, Rounding::TiesToEven));
        assert_eq!(
            codes,
            [
                -128, -128, -128, -128, -127, -2, 0, 0, 2, 126, 126, 127, 127, 127
            ]
        );
        assert_eq!(oiq(i32::MIN, four, Rounding::TiesToEven), -128);
        assert_eq!(oiq(-5, four, Rounding::Floor), -2);
    }
}
