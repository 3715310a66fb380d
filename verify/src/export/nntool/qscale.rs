//! A scale in 7 bits and a shift: `_OUT_QSCALE` and `_OUT_QNORM` of `model.h`.
//!
//! `s = m·2^e` with ½ ≤ m < 1, `q = floor(128·m + ½)`, `n = 7 − e`: then `s ≈ q·2^−n`, and
//! `(x·q) >> n` is x in real units. From m = 255/256 on, q is 128, which 7 bits do not hold;
//! `64·2^−(n−1)` is the same number. NNTool counts n up where it must go down, and its constants
//! stand for a quarter of the scale.

use quant::contracts::arithmetic::float::frexp;

/// `q·2^−n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QScale {
    /// q: 64 to 127.
    pub scale: u8,
    /// n: how far a product is shifted to the right.
    pub norm: i32,
}

/// What becomes of a q of 128.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// `64·2^−(n−1)`: the scale.
    #[default]
    Right,
    /// `64·2^−(n+1)`: a quarter of it, as NNTool writes.
    Faithful,
}

impl QScale {
    /// The constants of a positive, finite scale.
    pub fn new(scale: f64, form: Form) -> Self {
        let (fraction, exponent) = frexp(scale);
        // 64 to 128: the product with a power of two and the sum are exact.
        let steps = (fraction * 128.0 + 0.5).floor() as u8;
        let norm = 7 - exponent;
        match (steps, form) {
            (128.., Form::Right) => Self {
                scale: 64,
                norm: norm - 1,
            },
            (128.., Form::Faithful) => Self {
                scale: 64,
                norm: norm + 1,
            },
            _ => Self { scale: steps, norm },
        }
    }

    /// Whether the two forms differ for this scale: its mantissa is 255/256 or more.
    pub fn is_at_fault(scale: f64) -> bool {
        Self::new(scale, Form::Right) != Self::new(scale, Form::Faithful)
    }

    /// The number that the constants stand for.
    pub fn value(self) -> f64 {
        f64::from(self.scale) * 2f64.powi(-self.norm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const EDGE: f64 = 255.0 / 256.0;

    #[rstest]
    // Powers of two are ½·2^e.
    #[case(1.0, 64, 6)]
    #[case(0.5, 64, 7)]
    #[case(2f64.powi(-20), 64, 26)]
    #[case(1024.0, 64, -4)]
    // Ties go up: 64.5/128 and 126.5/128.
    #[case(64.5 / 128.0, 65, 7)]
    #[case((64.5f64 / 128.0).next_down(), 64, 7)]
    #[case(126.5 / 128.0, 127, 7)]
    #[case((126.5f64 / 128.0).next_down(), 126, 7)]
    // By hand: 0.0166 = 0.53125…·2^-5 -> floor(67.9936 + ½); 0.0306 = 0.9792·2^-5 -> 125.8.
    #[case(0.0166, 68, 12)]
    #[case(0.0306, 125, 12)]
    // The last scale that 7 bits hold.
    #[case(EDGE.next_down(), 127, 7)]
    fn constants_by_hand(#[case] scale: f64, #[case] q: u8, #[case] norm: i32) {
        for form in [Form::Right, Form::Faithful] {
            assert_eq!(QScale::new(scale, form), QScale { scale: q, norm });
        }
        assert!(!QScale::is_at_fault(scale));
    }

    #[rstest]
    #[case(EDGE, 6, 8)]
    #[case(0.9999, 6, 8)]
    #[case(1f64.next_down(), 6, 8)]
    #[case(0.0039, 14, 16)]
    #[case(511.9, -3, -1)]
    fn from_255_of_256_on_nntool_is_4_times_too_small(
        #[case] scale: f64,
        #[case] right: i32,
        #[case] faithful: i32,
    ) {
        let of = |norm| QScale { scale: 64, norm };
        assert_eq!(QScale::new(scale, Form::Right), of(right));
        assert_eq!(QScale::new(scale, Form::Faithful), of(faithful));
        assert!(QScale::is_at_fault(scale));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn right_is_within_7_bits_and_faithful_a_quarter_of_it_at_the_fault_alone(
            any in 0u64..1 << 52, near in -4i64..4, exponent in -300i32..300, at_edge: bool,
        ) {
            let fraction = match at_edge {
                true => f64::from_bits(EDGE.to_bits().wrapping_add_signed(near)),
                false => f64::from_bits(0.5f64.to_bits() | any),
            };
            // Exact, as are all that follow: products with powers of two.
            let scale = fraction * 2f64.powi(exponent);
            let (right, faithful) = (QScale::new(scale, Form::Right), QScale::new(scale, Form::Faithful));
            prop_assert!((64..=127).contains(&right.scale), "{right:?}");
            prop_assert!((right.value() - scale).abs() <= scale / 128.0, "{scale:e}: {right:?}");
            let at_fault = fraction >= EDGE;
            prop_assert_eq!(right.value(), faithful.value() * if at_fault { 4.0 } else { 1.0 });
            prop_assert_eq!(QScale::is_at_fault(scale), at_fault);
        }
    }
}
