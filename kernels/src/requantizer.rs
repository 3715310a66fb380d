//! Accumulators to codes by one float32 multiplication or division, certified.
//!
//! Contracts differ in how they scale and round, and each has its own constants. Seen from
//! outside, one that never falls as the accumulator grows is a staircase: for each code `k`
//! the first accumulator `t_k` that reaches it. Two staircases with the same steps are equal
//! everywhere, so the kernels need one arithmetic only,
//!
//! ```text
//! code(acc) = int(clamp(f32(acc) · multiplier + offset, low, high)) + base
//! code(acc) = int(clamp(f32(acc) / divisor + offset, low, high)) + base
//! ```
//! The second is slower. It is what eq. 6 says, so that a division has its own steps where no
//! product does.
//!
//! for which `multiplier` and `offset` are searched until its steps are those of the contract,
//! tried with this very arithmetic at `t_k` and `t_k − 1` for every `k`. Both sides never fall
//! (float32 conversion, product, sum and rounding do not), so this is a proof and not a
//! sample. Where the search finds none the contract itself requantizes, more slowly.

use std::ops::RangeInclusive;

use crate::entry::Table;
use crate::layout::{Aligned, padded_constants};
use crate::packing::{LaneOrder, in_lanes};

/// How the kernels scale an accumulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaling {
    /// f32(acc) · multiplier.
    Multiply,
    /// f32(acc) / divisor.
    Divide,
}

impl Scaling {
    /// One rounding to float32.
    #[inline(always)]
    fn of(self, acc: i32, by: f32) -> f32 {
        match self {
            Self::Multiply => acc as f32 * by,
            Self::Divide => acc as f32 / by,
        }
    }
}

/// The accumulators at which a channel's codes rise.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Staircase {
    /// The least code on the reach.
    low: i32,
    /// `steps[i]` is the first accumulator whose code is at least `low + 1 + i`.
    steps: Vec<i32>,
    reach: (i32, i32),
}

impl Staircase {
    /// The steps of `code` on `reach`, found by bisection: `code` must not fall as the
    /// accumulator grows.
    fn new(reach: RangeInclusive<i32>, code: impl Fn(i32) -> i32) -> Self {
        let (start, end) = reach.into_inner();
        let (low, high) = (code(start), code(end));
        let mut from = start;
        let steps = (low + 1..=high)
            .map(|k| {
                // code(from − 1 or less) < k, code(to) ≥ k.
                let mut to = end;
                while from < to {
                    // Rounded down, so that it is below `to`.
                    let middle = ((i64::from(from) + i64::from(to)) >> 1) as i32;
                    match code(middle) >= k {
                        true => to = middle,
                        false => from = middle + 1,
                    }
                }
                to
            })
            .collect();
        Self {
            low,
            steps,
            reach: (start, end),
        }
    }

    /// The multiplier (or divisor) and the offset whose codes, `base` added, are these; `slope`
    /// is about the rise of the codes for each accumulator.
    fn certify(
        &self,
        scaling: Scaling,
        slope: f64,
        base: i32,
        clamp: [i32; 2],
    ) -> Option<(f32, f32)> {
        // One beside the nearest may have room for an offset where that has none.
        let beside = |slope: f64| {
            let nearest = match scaling {
                Scaling::Multiply => slope as f32,
                Scaling::Divide => (1.0 / slope) as f32,
            };
            [
                nearest,
                nearest.next_up(),
                nearest.next_down(),
                nearest.next_up().next_up(),
                nearest.next_down().next_down(),
            ]
        };
        // The steps' own slope only where the given one fails: it takes longer.
        std::iter::once_with(|| Some(slope))
            .chain(std::iter::once_with(|| self.slope()))
            .flatten()
            .flat_map(beside)
            .flat_map(|by| self.offsets(scaling, by, base).map(|offset| (by, offset)))
            .find(|&(by, offset)| self.holds(scaling, by, offset, base, clamp))
    }

    /// The middle of the slopes of lines that lie at or above `k − ½` at `t_k` and below it at
    /// `t_k − 1`, for every k: each two steps bound them. `None` where there is none.
    fn slope(&self) -> Option<f64> {
        let (mut least, mut most) = (0f64, f64::INFINITY);
        for (i, &from) in self.steps.iter().enumerate() {
            for (rise, &to) in (1..).zip(&self.steps[i + 1..]) {
                let [rise, run] = [f64::from(rise), f64::from(to) - f64::from(from)];
                least = least.max(rise / (run + 1.0));
                if run > 1.0 {
                    most = most.min(rise / (run - 1.0));
                }
            }
        }
        (0.0 < least && least <= most && most.is_finite()).then(|| least.midpoint(most))
    }

    /// Offsets to try: 0, with which float32 meets ties as the contract does if the multiplier
    /// is good; and the middle of those for which, in exact numbers, `t_k · m + offset` lies
    /// above `k − base − ½` and `(t_k − 1) · m + offset` below it, for every k.
    fn offsets(&self, scaling: Scaling, by: f32, base: i32) -> [f32; 2] {
        let m = match scaling {
            Scaling::Multiply => f64::from(by),
            Scaling::Divide => 1.0 / f64::from(by),
        };
        let (mut least, mut most) = (f64::NEG_INFINITY, f64::INFINITY);
        for (k, &step) in (self.low + 1..).zip(&self.steps) {
            let boundary = f64::from(k - base) - 0.5;
            least = least.max(boundary - f64::from(step as f32) * m);
            if step > self.reach.0 {
                most = most.min(boundary - f64::from((step - 1) as f32) * m);
            }
        }
        let middle = match (least.is_finite(), most.is_finite()) {
            (true, true) => least.midpoint(most),
            (true, false) => least,
            (false, true) => most,
            (false, false) => 0.0,
        };
        [0.0, middle as f32]
    }

    /// Whether the arithmetic has these steps: tried on both sides of each, and at the ends.
    fn holds(&self, scaling: Scaling, by: f32, offset: f32, base: i32, clamp: [i32; 2]) -> bool {
        let [low, high] = clamp.map(|code| (code - base) as f32);
        let ends = [self.reach.0, self.reach.1].map(|acc| scaling.of(acc, by) + offset);
        if ends.iter().any(|end| end.abs() >= LARGEST) {
            return false;
        }
        let made = |acc| code(scaling, acc, by, offset, low, high) + base;
        let sides = (self.low + 1..)
            .zip(&self.steps)
            .all(|(k, &step)| made(step) >= k && (step == self.reach.0 || made(step - 1) < k));
        let top = self.low + self.steps.len() as i32;
        sides && made(self.reach.0) == self.low && made(self.reach.1) == top
    }
}

/// The arithmetic of every kernel.
#[inline(always)]
pub(crate) fn code(scaling: Scaling, acc: i32, by: f32, offset: f32, low: f32, high: f32) -> i32 {
    let code = scaling.of(acc, by) + offset;
    // Adding 1.5 · 2²³ and taking it away rounds to an integer, ties to even, by the rule of
    // float32 addition: `round_ties_even` is a call on CPUs without an instruction for it.
    const INTEGERS_ONLY: f32 = 12_582_912.0;
    ((code.max(low).min(high) + INTEGERS_ONLY) - INTEGERS_ONLY) as i32
}

/// The same without the clamp, for results below 2³⁰ in size.
#[inline(always)]
pub(crate) fn round(scaling: Scaling, acc: i32, by: f32, offset: f32) -> i32 {
    (scaling.of(acc, by) + offset).round_ties_even() as i32
}

/// Products of this size and more are not certified: kernels round before they clamp.
const LARGEST: f32 = (1 << 30) as f32;

/// One channel's requantization to be certified.
pub struct Channel<'a> {
    /// The accumulators that the weights and the input's codes can reach.
    pub reach: RangeInclusive<i32>,
    /// About the rise of the codes for each accumulator, > 0.
    pub slope: f64,
    /// The code of an accumulator on the reach: it never falls.
    pub code: &'a dyn Fn(i32) -> i32,
}

impl Channel<'_> {
    fn staircase(&self, [low, high]: [i32; 2]) -> Staircase {
        Staircase::new(self.reach.clone(), |acc| (self.code)(acc).clamp(low, high))
    }
}

/// What the kernels add to codes that they store as u8: 128 of s8 codes, 0 of u8 codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// −128 to 127, stored as 0 to 255.
    Signed,
    /// 0 to 255.
    Unsigned,
}

impl Stored {
    /// What is added to a code.
    pub const fn shift(self) -> i32 {
        match self {
            Self::Signed => 128,
            Self::Unsigned => 0,
        }
    }

    /// The codes.
    pub const fn codes(self) -> RangeInclusive<i32> {
        -self.shift()..=255 - self.shift()
    }
}

/// How the constants of channels lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrangement {
    /// One behind the other.
    Channels,
    /// As the lanes of the depthwise algorithm.
    Lanes(LaneOrder),
}

/// The constants of a layer's channels, certified.
#[derive(Clone, Debug)]
pub struct Requantizer {
    channels: usize,
    arrangement: Arrangement,
    /// How accumulators are scaled.
    pub(crate) scaling: Scaling,
    /// Multipliers or divisors: one a channel, then 1 to what the last group may read.
    pub(crate) multipliers: Aligned<f32>,
    /// One a channel; then 0.
    pub(crate) offsets: Aligned<f32>,
    /// The least code, less the base.
    pub(crate) low: f32,
    /// The largest code, less the base.
    pub(crate) high: f32,
    /// What is added to the rounded product: a zero point, and the shift of stored codes.
    pub(crate) base: i32,
    /// The least and the largest stored code.
    pub(crate) stored: [u8; 2],
}

impl Requantizer {
    /// How accumulators are scaled.
    pub fn scaling(&self) -> Scaling {
        self.scaling
    }

    /// These are the constants of a layer of so many channels, in this order.
    ///
    /// # Panics
    /// They are not.
    pub(crate) fn check(&self, channels: usize, arrangement: Arrangement) {
        let own = (self.channels, self.arrangement);
        assert_eq!(own, (channels, arrangement), "constants");
    }

    /// The constants in the order of lanes.
    pub(crate) fn in_lanes(self, table: &Table, order: LaneOrder) -> Self {
        Self {
            arrangement: Arrangement::Lanes(order),
            multipliers: Aligned::new(&in_lanes(table, &self.multipliers, 1.0, &order)),
            offsets: Aligned::new(&in_lanes(table, &self.offsets, 0.0, &order)),
            ..self
        }
    }
}

impl Requantizer {
    /// Certifies every channel; `clamp` are the codes that the layer gives, an activation
    /// included. `zero_point` is added after rounding, or before: both are tried.
    ///
    /// `None` where a channel's codes cannot be made so, or the zero point or the clamp are no
    /// stored codes.
    pub fn certify<'a>(
        channels: &[Channel<'a>],
        zero_point: i32,
        stored: Stored,
        clamp: RangeInclusive<i32>,
    ) -> Option<Self> {
        let [low, high] = [*clamp.start(), *clamp.end()];
        let codes = stored.codes();
        if low > high
            || ![low, high, zero_point]
                .iter()
                .all(|code| codes.contains(code))
        {
            return None;
        }
        let clamp = [low, high];
        let staircases: Vec<Staircase> = (channels.iter())
            .map(|channel| channel.staircase(clamp))
            .collect();
        // A base of the other parity sends ties the other way, as a zero point does that was
        // added before rounding.
        let ways = [Scaling::Multiply, Scaling::Divide]
            .into_iter()
            .flat_map(|scaling| [zero_point, zero_point + 1].map(|base| (scaling, base)));
        ways.into_iter().find_map(|(scaling, base)| {
            let constants: Vec<(f32, f32)> = (staircases.iter().zip(channels))
                .map(|(staircase, channel)| staircase.certify(scaling, channel.slope, base, clamp))
                .collect::<Option<_>>()?;
            Some(Self::new(scaling, &constants, base, stored, clamp))
        })
    }

    /// The same for `outputs` channels that are alike: one is certified.
    pub fn certify_alike(
        channel: &Channel<'_>,
        outputs: usize,
        zero_point: i32,
        stored: Stored,
        clamp: RangeInclusive<i32>,
    ) -> Option<Self> {
        let mut one = Self::certify(std::slice::from_ref(channel), zero_point, stored, clamp)?;
        for constants in [&mut one.multipliers, &mut one.offsets] {
            *constants = Aligned::filled(constants[0], padded_constants(outputs));
        }
        one.channels = outputs;
        Some(one)
    }

    fn new(
        scaling: Scaling,
        constants: &[(f32, f32)],
        base: i32,
        stored: Stored,
        clamp: [i32; 2],
    ) -> Self {
        let (mut multipliers, mut offsets): (Vec<f32>, Vec<f32>) =
            constants.iter().copied().unzip();
        let padded = padded_constants(constants.len());
        multipliers.resize(padded, 1.0);
        offsets.resize(padded, 0.0);
        let [low, high] = clamp.map(|code| (code - base) as f32);
        let shift = stored.shift();
        Self {
            channels: constants.len(),
            arrangement: Arrangement::Channels,
            scaling,
            multipliers: Aligned::new(&multipliers),
            offsets: Aligned::new(&offsets),
            low,
            high,
            base: base + shift,
            stored: clamp.map(|code| (code + shift) as u8),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `rne(acc / divisor) + zero_point`, within int8.
    fn division(divisor: f64, zero_point: i32) -> impl Fn(i32) -> i32 {
        move |acc| {
            let quotient = (f64::from(acc) / divisor).round_ties_even() as i32;
            (quotient + zero_point).clamp(-128, 127)
        }
    }

    fn channel(code: &dyn Fn(i32) -> i32, slope: f64) -> Channel<'_> {
        Channel {
            reach: -2000..=2000,
            slope,
            code,
        }
    }

    #[test]
    fn steps_are_the_first_accumulators_of_their_codes() {
        let stairs = Staircase::new(-10..=10, |acc| acc.div_euclid(4));
        assert_eq!(
            (stairs.low, stairs.steps.clone()),
            (-3, vec![-8, -4, 0, 4, 8])
        );
        // Codes that are skipped have the step of the next one.
        let jumps = Staircase::new(0..=9, |acc| if acc < 5 { 1 } else { 4 });
        assert_eq!((jumps.low, jumps.steps), (1, vec![5, 5, 5]));
        let flat = Staircase::new(-3..=-3, |_| 7);
        assert_eq!((flat.low, flat.steps), (7, vec![]));
        let whole = Staircase::new(i32::MIN..=i32::MAX, |acc| acc >> 30);
        assert_eq!(whole.steps, [-1 << 30, 0, 1 << 30]);
    }

    #[test]
    fn the_slope_of_the_steps_lies_between_all_pairs() {
        let stairs = Staircase::new(-1000..=1000, |acc| (f64::from(acc) * 0.37).floor() as i32);
        assert!((stairs.slope().unwrap() - 0.37).abs() < 0.001);
        // No line goes through these.
        let bent = Staircase::new(0..=99, |acc| if acc < 50 { acc / 10 } else { acc - 45 });
        assert_eq!(bent.slope(), None);
        assert_eq!(Staircase::new(0..=9, |_| 1).slope(), None);
    }

    /// Every accumulator, not only those that were tried.
    fn check(requantizer: &Requantizer, code: &dyn Fn(i32) -> i32, shift: i32) {
        let of = requantizer;
        for acc in -2000..=2000 {
            let [by, offset] = [of.multipliers[0], of.offsets[0]];
            let made = super::code(of.scaling, acc, by, offset, of.low, of.high) + of.base;
            assert_eq!(made - shift, code(acc), "{acc}: {of:?}");
            let [low, high] = of.stored.map(i32::from);
            let rounded = round(of.scaling, acc, by, offset) + of.base;
            assert_eq!(rounded.clamp(low, high), made, "{acc}: {of:?}");
        }
    }

    #[test]
    fn ties_go_where_the_contract_sends_them() {
        // Zero points added after rounding, odd and even, of both types.
        for (stored, clamp) in [(Stored::Signed, -128..=127), (Stored::Unsigned, 0..=127)] {
            for zero_point in [0, 1, 7, 100] {
                let code = division(4.0, zero_point);
                let code = |acc| code(acc).max(*clamp.start());
                let one = channel(&code, 0.25);
                let made = Requantizer::certify(&[one], zero_point, stored, clamp.clone()).unwrap();
                assert_eq!(made.scaling(), Scaling::Multiply);
                check(&made, &code, stored.shift());
            }
        }
        // Added before rounding: ties of an odd zero point go the other way.
        let before = |acc: i32| {
            let sum = (f64::from(acc) / 4.0 + 3.0).round_ties_even() as i32;
            sum.clamp(-128, 127)
        };
        let made = Requantizer::certify(&[channel(&before, 0.25)], 3, Stored::Signed, -128..=127);
        check(&made.unwrap(), &before, 128);
        // Up, down, floor: an offset.
        for offset in [0.5, 0.499, 0.0] {
            let code = |acc: i32| ((f64::from(acc) / 4.0 + offset).floor() as i32).clamp(-128, 127);
            let made = Requantizer::certify(&[channel(&code, 0.25)], 0, Stored::Signed, -128..=127);
            check(&made.unwrap(), &code, 128);
        }
    }

    #[test]
    fn a_wrong_slope_is_mended_and_a_crooked_contract_refused() {
        let code = division(37.0, 0);
        let made = Requantizer::certify(&[channel(&code, 1.0)], 0, Stored::Signed, -128..=127);
        check(&made.unwrap(), &code, 128);
        let crooked = |acc: i32| if acc < 0 { acc / 100 } else { acc / 50 };
        let made = Requantizer::certify(&[channel(&crooked, 0.01)], 0, Stored::Signed, -128..=127);
        assert!(made.is_none());
    }

    #[test]
    fn a_division_is_taken_where_no_product_has_its_steps() {
        // f32(acc) / s: quotients just beside ties that a product rounds onto them.
        let divided = (1..2000).find_map(|i| {
            let scale = 3000.0f32 + i as f32 / 7.0;
            let code =
                move |acc: i32| (acc as f32 / scale).round_ties_even().clamp(-128.0, 127.0) as i32;
            let one = Channel {
                reach: -10_000_000..=10_000_000,
                slope: 1.0 / f64::from(scale),
                code: &code,
            };
            let made = Requantizer::certify(&[one], 0, Stored::Signed, -128..=127).unwrap();
            (made.scaling() == Scaling::Divide).then_some((made, scale))
        });
        let (made, scale) = divided.expect("one of them needs a division");
        assert_eq!(made.multipliers[0], scale);
    }

    #[test]
    fn constants_are_as_long_as_whole_tiles() {
        let code = division(4.0, 0);
        let one = channel(&code, 0.25);
        let made = Requantizer::certify_alike(&one, 65, 0, Stored::Signed, 0..=127).unwrap();
        let len = padded_constants(65);
        assert_eq!([made.multipliers.len(), made.offsets.len()], [len; 2]);
        assert_eq!(made.multipliers[64], 0.25);
        assert_eq!(made.stored, [128, 255]);
        let channels = [channel(&code, 0.25), channel(&code, 0.25)];
        let made = Requantizer::certify(&channels, 0, Stored::Signed, -128..=127).unwrap();
        assert_eq!(made.multipliers.len(), padded_constants(2));
        assert_eq!(made.multipliers[..2], [0.25, 0.25]);
        assert_eq!(made.stored, [0, 255]);
    }

    /// Their bytes would be other codes.
    #[test]
    fn what_is_no_stored_code_is_not_certified() {
        let code = |acc: i32| acc;
        for (zero_point, stored, clamp, certified) in [
            (0, Stored::Signed, -128..=127, true),
            (0, Stored::Signed, -129..=127, false),
            (0, Stored::Signed, -128..=128, false),
            (128, Stored::Signed, -128..=127, false),
            (-129, Stored::Signed, -128..=127, false),
            (0, Stored::Unsigned, 0..=255, true),
            (0, Stored::Unsigned, -1..=255, false),
            (0, Stored::Unsigned, 0..=256, false),
            (256, Stored::Unsigned, 0..=255, false),
            (0, Stored::Unsigned, RangeInclusive::new(1, 0), false),
        ] {
            let one = channel(&code, 1.0);
            let made = Requantizer::certify(&[one], zero_point, stored, clamp.clone());
            assert_eq!(
                made.is_some(),
                certified,
                "{zero_point}, {stored:?}, {clamp:?}"
            );
        }
    }

    #[test]
    fn products_that_an_int32_cannot_hold_are_not_certified() {
        let steep = |acc: i32| i32::from(acc > 0);
        let one = |slope| Channel {
            reach: -2000..=2000,
            slope,
            code: &steep,
        };
        assert!(Requantizer::certify(&[one(1e3)], 0, Stored::Signed, 0..=1).is_some());
        assert!(Requantizer::certify(&[one(1e6)], 0, Stored::Signed, 0..=1).is_none());
    }
}
