//! From a real to an integer.

/// What happens between two integers, and halfway between them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rounding {
    /// Nearest, halves to the even neighbour: PyTorch's `round`.
    #[default]
    TiesToEven,
    /// Nearest, halves away from zero: C's `round`.
    TiesAwayFromZero,
    /// Nearest, halves toward +∞: ⌊x + ½⌋ in exact arithmetic.
    HalfUp,
    /// Toward −∞.
    Floor,
    /// Toward zero: a C cast.
    TowardZero,
}

impl Rounding {
    /// Every rule.
    pub const ALL: [Self; 5] = [
        Self::TiesToEven,
        Self::TiesAwayFromZero,
        Self::HalfUp,
        Self::Floor,
        Self::TowardZero,
    ];

    /// The integer that this rule gives for `x`; NaN and ±∞ stay themselves.
    pub fn round(self, x: f64) -> f64 {
        match self {
            Self::TiesToEven => x.round_ties_even(),
            Self::TiesAwayFromZero => x.round(),
            Self::HalfUp => {
                // Not (x + 0.5).floor(): that sum is itself rounded.
                let below = x.floor();
                if x - below >= 0.5 { below + 1.0 } else { below }
            }
            Self::Floor => x.floor(),
            Self::TowardZero => x.trunc(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    //                      −2.5  −1.5  −0.5   0.5   1.5   2.5  −0.3   0.7  −0.7
    #[case(Rounding::TiesToEven, [-2., -2., 0., 0., 2., 2., 0., 1., -1.])]
    #[case(Rounding::TiesAwayFromZero, [-3., -2., -1., 1., 2., 3., 0., 1., -1.])]
    #[case(Rounding::HalfUp, [-2., -1., 0., 1., 2., 3., 0., 1., -1.])]
    #[case(Rounding::Floor, [-3., -2., -1., 0., 1., 2., -1., 0., -1.])]
    #[case(Rounding::TowardZero, [-2., -1., 0., 0., 1., 2., 0., 0., 0.])]
    fn ties_and_sides(#[case] rounding: Rounding, #[case] expected: [f64; 9]) {
        let inputs = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, -0.3, 0.7, -0.7];
        assert_eq!(inputs.map(|x| rounding.round(x)), expected);
    }

    #[test]
    fn neighbours_of_a_tie_are_no_ties() {
        for rounding in [
            Rounding::TiesToEven,
            Rounding::TiesAwayFromZero,
            Rounding::HalfUp,
        ] {
            for tie in [-1.5f64, -0.5, 0.5, 1.5, 1000.5] {
                assert_eq!(rounding.round(tie.next_down()), tie - 0.5, "{rounding:?}");
                assert_eq!(rounding.round(tie.next_up()), tie + 0.5, "{rounding:?}");
            }
        }
    }

    #[test]
    fn every_rule_is_listed_once() {
        for (i, a) in Rounding::ALL.iter().enumerate() {
            assert!(!Rounding::ALL[..i].contains(a));
        }
        assert_eq!(Rounding::default(), Rounding::TiesToEven);
    }
}
