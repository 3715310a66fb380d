//! From a range to a scale and a zero point.

use super::{Grid, Symmetry};
use crate::observers::Range;
use crate::{QuantError, Scale};

/// The scale and zero point of codes: eq. 1 and 2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantParams {
    /// The real size of one step.
    pub scale: Scale,
    /// The code that stands for 0.
    pub zero_point: i32,
    /// The codes there are.
    pub grid: Grid,
}

impl QuantParams {
    /// Symmetric: `s = max(|low|, |high|) / one side`, z = 0. Asymmetric (PyTorch's rule):
    /// the range is widened to hold 0, `s = (high − low) / steps`,
    /// `z = qmin − round(low / s)`. All in float32, halves to even.
    ///
    /// A range of nothing but 0 has scale 1: every value there is gets the code z.
    ///
    /// # Errors
    /// A grid that is none, or a scale that float32 does not hold.
    pub fn of_range(range: Range, grid: Grid, symmetry: Symmetry) -> Result<Self, QuantError> {
        if !grid.is_valid() {
            return Err(QuantError::Grid(grid));
        }
        let (low, high) = (range.low.min(0.0), range.high.max(0.0));
        if low == high {
            return Ok(Self {
                scale: Scale::new(1.0)?,
                zero_point: 0,
                grid,
            });
        }
        match symmetry {
            Symmetry::Symmetric => Ok(Self {
                scale: Scale::new(f64::from(high.max(-low) / grid.one_side() as f32))?,
                zero_point: 0,
                grid,
            }),
            Symmetry::Asymmetric => {
                let scale = Scale::new(f64::from((high - low) / grid.steps() as f32))?;
                let steps_below = f64::from(low / scale.get()).round_ties_even();
                Ok(Self {
                    scale,
                    zero_point: grid.clamp(f64::from(grid.low()) - steps_below),
                    grid,
                })
            }
        }
    }

    /// # Errors
    /// A grid that is none, or a zero point that is not one of its codes.
    pub fn check_zero_point(&self) -> Result<(), QuantError> {
        let Self {
            grid, zero_point, ..
        } = *self;
        match grid.is_valid() {
            false => Err(QuantError::Grid(grid)),
            true if grid.holds(zero_point) => Ok(()),
            true => Err(QuantError::ZeroPoint { zero_point, grid }),
        }
    }

    /// Eq. 1: `clamp(round(x / s) + z)`, the quotient in float32, halves to even.
    pub fn quantize(&self, x: f32) -> i32 {
        let rounded = f64::from(x / self.scale.get()).round_ties_even();
        self.grid.clamp(rounded + f64::from(self.zero_point))
    }

    /// Eq. 2: `s · (q − z)` in float32.
    pub fn dequantize(&self, code: i32) -> f32 {
        self.scale.get() * (code - self.zero_point) as f32
    }

    /// `dequantize(quantize(x))`, to the bit, in float32 alone, of which the compiler makes
    /// vectors: `s · round(clamp(x / s, low − z, high − z))`. The ends are integers, so it is
    /// the same to clamp first; and then adding 1.5·2²³, where float32 has only integers, and
    /// taking it away again rounds halves to even.
    #[inline]
    pub fn round_trip(&self, x: f32) -> f32 {
        const INTEGERS: f32 = 1.5 * (1 << 23) as f32;
        let (scale, z) = (self.scale.get(), self.zero_point);
        // Of 17 bits at most: exact.
        let [low, high] = [self.grid.low(), self.grid.high()].map(|code| (code - z) as f32);
        let steps = x / scale;
        // The code of NaN is 0.
        let steps = if steps.is_nan() { -z as f32 } else { steps };
        let steps = if steps < low { low } else { steps };
        let steps = if steps > high { high } else { steps };
        scale * ((steps + INTEGERS) - INTEGERS)
    }

    /// The codes less the zero point, for a bound.
    pub fn reach(&self) -> [f64; 2] {
        [self.grid.low(), self.grid.high()].map(|code| f64::from(code - self.zero_point))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn grid() -> impl Strategy<Value = Grid> {
        (1u32..=16, any::<bool>(), any::<bool>())
            .prop_map(|(bits, signed, narrow)| Grid {
                bits,
                signed,
                narrow,
            })
            .prop_filter("two codes", |grid| grid.is_valid())
    }

    fn symmetry() -> impl Strategy<Value = Symmetry> {
        prop::sample::select(vec![Symmetry::Symmetric, Symmetry::Asymmetric])
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn codes_are_in_range_monotone_and_zero_is_exact(
            a in -50f32..50., b in -50f32..50., x in -80f32..80., y in -80f32..80.,
            grid in grid(), symmetry in symmetry(),
        ) {
            let range = Range { low: a.min(b), high: a.max(b) };
            let params = QuantParams::of_range(range, grid, symmetry).unwrap();
            let (low, high) = (params.quantize(x.min(y)), params.quantize(x.max(y)));
            prop_assert!(grid.low() <= low && low <= high && high <= grid.high());
            prop_assert_eq!(params.quantize(0.0), params.zero_point);
            prop_assert_eq!(params.dequantize(params.zero_point), 0.0);
        }

        #[test]
        fn a_round_trip_is_there_and_back(
            a in -50f32..50., b in -50f32..50., steps in -40_000i32..70_000, bits in any::<u32>(),
            grid in grid(), symmetry in symmetry(),
        ) {
            let range = Range { low: a.min(b), high: a.max(b) };
            let params = QuantParams::of_range(range, grid, symmetry).unwrap();
            // On halves of steps, beside them, and anything: NaN, infinities, −0.
            let tie = params.scale.get() * (steps as f32 / 2.0);
            for x in [tie, tie.next_up(), tie.next_down(), f32::from_bits(bits), -0.0, f32::NAN] {
                let there_and_back = params.dequantize(params.quantize(x));
                prop_assert_eq!(params.round_trip(x).to_bits(), there_and_back.to_bits(), "{}", x);
            }
            for x in [f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN] {
                prop_assert_eq!(params.round_trip(x), params.dequantize(params.quantize(x)));
            }
        }

        /// |x − x̂| ≤ s/2, the float32 division and multiplication aside.
        #[test]
        fn an_error_inside_is_half_a_step(
            a in -50f32..50., b in -50f32..50., t in 0f32..1., grid in grid(), symmetry in symmetry(),
        ) {
            let range = Range { low: a.min(b), high: a.max(b) };
            let params = QuantParams::of_range(range, grid, symmetry).unwrap();
            let [low, high] = params.reach().map(|q| q * params.scale.wide());
            let x = (low + (high - low) * f64::from(t)) as f32;
            let back = params.dequantize(params.quantize(x));
            let error = (f64::from(x) - f64::from(back)).abs();
            prop_assert!(error <= crate::bounds::within_codes(x, back, params.scale), "{error}");
        }
    }

    #[test]
    fn nothing_but_zeros_is_the_zero_point() {
        let grid = Grid {
            bits: 8,
            signed: false,
            narrow: false,
        };
        let zeros = Range {
            low: 0.0,
            high: 0.0,
        };
        for symmetry in [Symmetry::Symmetric, Symmetry::Asymmetric] {
            let params = QuantParams::of_range(zeros, grid, symmetry).unwrap();
            assert_eq!(
                (params.scale.get(), params.zero_point, params.quantize(0.0)),
                (1.0, 0, 0)
            );
        }
    }

    #[test]
    fn a_range_on_one_side_is_widened_to_zero() {
        let grid = Grid {
            bits: 8,
            signed: false,
            narrow: false,
        };
        let of = |low, high| {
            let params = QuantParams::of_range(Range { low, high }, grid, Symmetry::Asymmetric);
            let params = params.unwrap();
            (params.scale.get(), params.zero_point)
        };
        assert_eq!(of(10.0, 51.0), (0.2, 0));
        assert_eq!(of(-51.0, -10.0), (0.2, 255));
        assert_eq!(of(-25.5, 25.5), (0.2, 128)); // −127.5 rounds to −128
    }

    #[test]
    fn what_is_no_grid_or_no_scale_is_refused() {
        let grid = Grid {
            bits: 17,
            signed: true,
            narrow: false,
        };
        let range = Range {
            low: -1.0,
            high: 1.0,
        };
        let refused = QuantParams::of_range(range, grid, Symmetry::Symmetric);
        assert_eq!(refused, Err(QuantError::Grid(grid)));
        let tiny = Range {
            low: 0.0,
            high: f32::from_bits(1),
        };
        let grid = Grid {
            bits: 8,
            signed: true,
            narrow: false,
        };
        let refused = QuantParams::of_range(tiny, grid, Symmetry::Symmetric);
        assert_eq!(refused, Err(QuantError::Scale { value: 0.0 }));
        let wide = Range {
            low: f32::MIN,
            high: f32::MAX,
        };
        assert!(QuantParams::of_range(wide, grid, Symmetry::Asymmetric).is_err());
    }
}
