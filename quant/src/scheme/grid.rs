//! The codes of so many bits.

/// Which integers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// 1 to 16.
    pub bits: u32,
    /// Two's complement, else from 0.
    pub signed: bool,
    /// Without the lowest code of a signed grid, so that every code has its negative.
    pub narrow: bool,
}

/// The most bits of a code.
const MOST_BITS: u32 = 16;

impl Grid {
    /// The lowest code.
    pub fn low(self) -> i32 {
        match self.signed {
            true => -(1 << (self.bits - 1)) + i32::from(self.narrow),
            false => 0,
        }
    }

    /// The highest code.
    pub fn high(self) -> i32 {
        match self.signed {
            true => (1 << (self.bits - 1)) - 1,
            false => (1 << self.bits) - 1,
        }
    }

    /// Whether this integer is one of the codes.
    pub fn holds(self, code: i32) -> bool {
        (self.low()..=self.high()).contains(&code)
    }

    /// Whether there are 1 to 16 bits and at least two codes.
    pub fn is_valid(self) -> bool {
        (1..=MOST_BITS).contains(&self.bits) && self.low() < self.high()
    }

    /// Codes on one side of 0, by which a symmetric range is divided: `2^(b−1) − 1` signed,
    /// `2^b − 1` unsigned.
    ///
    /// One signed bit has the codes −1 and 0, so no positive one: its range is divided by 1,
    /// and the code −1 stands for −max|x|.
    pub fn one_side(self) -> i32 {
        self.high().max(1)
    }

    /// The steps from the lowest to the highest code.
    pub fn steps(self) -> i32 {
        self.high() - self.low()
    }

    /// `code` within the grid.
    pub fn clamp(self, code: f64) -> i32 {
        // `as` turns NaN into 0, which `clamp` keeps within the grid.
        (code as i64).clamp(i64::from(self.low()), i64::from(self.high())) as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(8, true, false, -128, 127, 127)]
    #[case(8, true, true, -127, 127, 127)]
    #[case(8, false, false, 0, 255, 255)]
    #[case(16, true, false, -32768, 32767, 32767)]
    #[case(2, true, false, -2, 1, 1)]
    #[case(2, true, true, -1, 1, 1)]
    #[case(1, true, false, -1, 0, 1)]
    #[case(1, false, false, 0, 1, 1)]
    fn codes(
        #[case] bits: u32,
        #[case] signed: bool,
        #[case] narrow: bool,
        #[case] low: i32,
        #[case] high: i32,
        #[case] one_side: i32,
    ) {
        let grid = Grid {
            bits,
            signed,
            narrow,
        };
        assert_eq!(
            (grid.low(), grid.high(), grid.one_side()),
            (low, high, one_side)
        );
        assert_eq!(grid.steps(), high - low);
        assert!(grid.is_valid());
        let clamped = [
            f64::NEG_INFINITY,
            f64::from(low) - 1.0,
            f64::from(high) + 1.0,
            f64::INFINITY,
        ]
        .map(|code| grid.clamp(code));
        assert_eq!(clamped, [low, low, high, high]);
    }

    #[test]
    fn a_grid_has_two_codes_at_least_and_16_bits_at_most() {
        let of = |bits, signed, narrow| {
            Grid {
                bits,
                signed,
                narrow,
            }
            .is_valid()
        };
        assert!(!of(1, true, true));
        assert!(!of(17, true, false));
        assert!(of(16, false, false));
    }
}
