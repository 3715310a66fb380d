//! How often contracts differ, and by how much: each pair, over a population of channels.

use std::f64::consts::{SQRT_2, TAU};
use std::ops::RangeInclusive;

use super::{Channel, Clamp, Contract, Prepared};

/// One channel, and the accumulators that it meets.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The channel.
    pub channel: Channel,
    /// Its accumulators.
    pub accumulators: Vec<i32>,
}

/// Channels of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Population {
    /// Short and unique: `generic`.
    pub name: &'static str,
    /// Which multipliers, which accumulators.
    pub meaning: &'static str,
    /// The channels.
    pub samples: Vec<Sample>,
}

/// Each multiplier makes a channel with either: halves go to even before the zero point or after
/// it, which only an odd one shows.
pub const ZERO_POINTS: [i32; 2] = [0, -3];

/// How many accumulators a channel has.
const BELL: u32 = 1024;

/// The standard deviation of their values, in codes.
const DEVIATION: f64 = 40.0;

/// The reciprocal of the golden ratio: its multiples, less their integers, are spread evenly.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// The same of √2 and, together with the other, over a square.
const SILVER: f64 = SQRT_2 - 1.0;

/// Generic scales, powers of two, and accumulators beside ties: `multipliers` of each, from 2^−11
/// to 2^−4, each with both [`ZERO_POINTS`].
pub fn populations(multipliers: u32) -> [Population; 3] {
    let samples = |channel: fn(u32, u32) -> Channel,
                   accumulators: fn(&Channel, usize) -> Vec<i32>| {
        let mut samples = Vec::new();
        for index in 0..multipliers {
            for output_zero_point in ZERO_POINTS {
                let channel = Channel {
                    output_zero_point,
                    ..channel(index, multipliers)
                };
                samples.push(Sample {
                    accumulators: accumulators(&channel, samples.len()),
                    channel,
                });
            }
        }
        samples
    };
    [
        Population {
            name: "generic",
            meaning: "three scales that are no round numbers, their multipliers spread evenly (by \
                      logarithm) from 2^-11 to 2^-4; 1024 accumulators, normally distributed, \
                      standard deviation 40 codes",
            samples: samples(generic, bell),
        },
        Population {
            name: "powers of two",
            meaning: "multipliers 2^-4, 2^-5 to 2^-11 in turn, so that ties are exact; the same \
                      accumulators",
            samples: samples(power_of_two, bell),
        },
        Population {
            name: "near ties",
            meaning: "odd numbers of up to 8 bits, scaled to 2^-11 to 2^-4; the accumulator nearest \
                      to each n + 1/2, and a few beyond the codes",
            samples: samples(odd, nearest_to_ties),
        },
    ]
}

/// Scales by additive recurrences: evenly spread, and the same on each run.
fn generic(index: u32, count: u32) -> Channel {
    let position = f64::from(index) + 0.5;
    let [weight, output] =
        [GOLDEN, SILVER].map(|step: f64| 2f64.powf(-8.0 + 4.0 * (position * step).fract()));
    let multiplier = 2f64.powf(-11.0 + 7.0 * position / f64::from(count));
    Channel::int8(multiplier * output / weight, weight, output, 0)
}

fn power_of_two(index: u32, _: u32) -> Channel {
    Channel::of_multiplier(0.5f64.powi(4 + (index % 8) as i32), 0)
}

/// An odd number below 2^8, brought to [½, 1) by a power of two, and by another to its exponent.
fn odd(index: u32, _: u32) -> Channel {
    // 127 odd numbers from 3 to 255; 50 and 127 have no common divisor, nor have 127 and 7.
    let number = 3 + 2 * (u64::from(index) * 50 % 127) as u32;
    let bits = (32 - number.leading_zeros()) as i32;
    let exponent = 4 + (index % 7) as i32;
    Channel::of_multiplier(f64::from(number) * 0.5f64.powi(bits + exponent), 0)
}

/// Box and Muller's transform of evenly spread points. They go on from channel to channel: had
/// each the same, all would meet the same fractions of a code.
fn bell(channel: &Channel, before: usize) -> Vec<i32> {
    (0..BELL)
        .map(|i| before as f64 * f64::from(BELL) + f64::from(i))
        .map(|position| [GOLDEN, SILVER].map(|step| (position * step).fract()))
        .map(|[u, v]| (-2.0 * (1.0 - u).ln()).sqrt() * (TAU * v).cos())
        // `as` saturates.
        .map(|normal| (normal * DEVIATION / channel.multiplier()).round() as i32)
        .collect()
}

fn nearest_to_ties(channel: &Channel, _: usize) -> Vec<i32> {
    let Clamp { low, high } = channel.clamp;
    let nearest = |value: f64| (value / channel.multiplier()).round() as i32;
    (low - 3..=high + 3)
        .map(|code| nearest(f64::from(code - channel.output_zero_point) + 0.5))
        .collect()
}

/// How two contracts compare, where both define a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// The channels for which both have numbers.
    pub channels: usize,
    /// The outputs compared: accumulators within both domains.
    pub outputs: usize,
    /// How many of them are unequal.
    pub differing: usize,
    /// How many of them differ by one.
    pub by_one: usize,
    /// The largest difference, in codes.
    pub largest: u32,
}

impl Rate {
    /// The share of outputs that differ, 0 to 1; none where nothing was compared.
    pub fn share(&self) -> Option<f64> {
        self.of_outputs(self.differing)
    }

    /// The share of outputs that differ by exactly one code.
    pub fn share_by_one(&self) -> Option<f64> {
        self.of_outputs(self.by_one)
    }

    fn of_outputs(&self, count: usize) -> Option<f64> {
        (self.outputs > 0).then(|| count as f64 / self.outputs as f64)
    }

    fn add(&mut self, a: i32, b: i32) {
        let difference = a.abs_diff(b);
        self.outputs += 1;
        self.differing += usize::from(difference != 0);
        self.by_one += usize::from(difference == 1);
        self.largest = self.largest.max(difference);
    }
}

/// What a comparison that lets ±1 pass can tell apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    /// The pairs that were compared at all.
    pub pairs: usize,
    /// Those that differ somewhere.
    pub differing: usize,
    /// Those that differ by more than one somewhere: the only ones that such a gate notices.
    pub noticed: usize,
}

/// Each pair of some contracts.
#[derive(Clone, Debug, PartialEq)]
pub struct Rates {
    contracts: Vec<&'static Contract>,
    /// Of (1, 0), (2, 0), (2, 1), (3, 0) …
    pairs: Vec<Rate>,
}

impl Rates {
    /// Runs every contract on every sample.
    pub fn measure(contracts: &[&'static Contract], samples: &[Sample]) -> Self {
        let mut pairs = vec![Rate::default(); place(contracts.len(), 0)];
        for sample in samples {
            let outputs: Vec<Option<Outputs>> = (contracts.iter())
                .map(|contract| Outputs::new(contract, sample))
                .collect();
            for (b, right) in outputs.iter().enumerate() {
                for (a, left) in outputs[..b].iter().enumerate() {
                    if let (Some(left), Some(right)) = (left, right) {
                        left.compare(right, &sample.accumulators, &mut pairs[place(b, a)]);
                    }
                }
            }
        }
        Self {
            contracts: contracts.to_vec(),
            pairs,
        }
    }

    /// The contracts, in the order of their indices.
    pub fn contracts(&self) -> &[&'static Contract] {
        &self.contracts
    }

    /// Of two contracts by their indices, in either order; none of one with itself.
    pub fn between(&self, a: usize, b: usize) -> Option<&Rate> {
        if a == b {
            return None;
        }
        self.pairs.get(place(a.max(b), a.min(b)))
    }

    /// What ±1 tells apart of the pairs of these contracts.
    pub fn gate(&self, among: impl Fn(&Contract) -> bool) -> Gate {
        let mut gate = Gate::default();
        for (b, right) in self.contracts.iter().enumerate() {
            for (a, left) in self.contracts[..b].iter().enumerate() {
                let rate = &self.pairs[place(b, a)];
                if among(left) && among(right) {
                    gate.pairs += usize::from(rate.outputs > 0);
                    gate.differing += usize::from(rate.differing > 0);
                    gate.noticed += usize::from(rate.largest > 1);
                }
            }
        }
        gate
    }
}

/// Where the pair of a larger and a smaller index lies.
fn place(larger: usize, smaller: usize) -> usize {
    larger * larger.saturating_sub(1) / 2 + smaller
}

/// A contract's codes of one sample.
struct Outputs {
    codes: Vec<i32>,
    domain: RangeInclusive<i32>,
}

impl Outputs {
    /// None where the contract has no numbers for the channel.
    fn new(contract: &Contract, sample: &Sample) -> Option<Self> {
        let prepared: Prepared = contract.prepare(&sample.channel).ok()?;
        let mut codes = vec![0; sample.accumulators.len()];
        prepared.requantize_all(&sample.accumulators, &mut codes);
        Some(Self {
            codes,
            domain: prepared.domain(),
        })
    }

    fn compare(&self, other: &Self, accumulators: &[i32], rate: &mut Rate) {
        rate.channels += 1;
        for (acc, (&a, &b)) in accumulators.iter().zip(self.codes.iter().zip(&other.codes)) {
            if self.domain.contains(acc) && other.domain.contains(acc) {
                rate.add(a, b);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::find;
    use super::*;

    fn contracts<const N: usize>(names: [&str; N]) -> [&'static Contract; N] {
        names.map(|name| find(name).unwrap())
    }

    fn sample(multiplier: f64, zero_point: i32, accumulators: &[i32]) -> Sample {
        Sample {
            channel: Channel::of_multiplier(multiplier, zero_point),
            accumulators: accumulators.to_vec(),
        }
    }

    #[test]
    fn unequal_outputs_are_counted_and_the_largest_difference_kept() {
        let [even, up, floor] =
            contracts(["onnxruntime-qlinear", "q16-rounded", "power-of-two-floor"]);
        let samples = [sample(0.25, 0, &[0, 1, 2, 3, 6, 7, 10, -6])];
        let rates = Rates::measure(&[even, up, floor], &samples);
        // 2/4 is 0 or 1, 10/4 is 2 or 3, −6/4 is −2 or −1; 6/4 is 2 for both.
        let rate = Rate {
            channels: 1,
            outputs: 8,
            differing: 3,
            by_one: 3,
            largest: 1,
        };
        assert_eq!(rates.between(0, 1), Some(&rate));
        assert_eq!(rates.between(1, 0), Some(&rate));
        assert_eq!(rate.share(), Some(0.375));
        // Floored: 3/4, 6/4 and 7/4 are one less than to even.
        assert_eq!(rates.between(0, 2).unwrap().differing, 3);
        // And than up: 2, 3, 6, 7, 10, −6.
        assert_eq!(rates.between(1, 2).unwrap().differing, 6);
        assert_eq!(rates.between(1, 1), None);
        assert_eq!(rates.between(1, 3), None);
        assert_eq!(rates.contracts(), [even, up, floor]);
    }

    #[test]
    fn a_difference_of_more_than_one_is_no_difference_by_one() {
        // A third becomes a quarter: 10 and 7 of 30, 1 and 0 of 3, 100 and 75 of 300.
        let pair = contracts(["onnxruntime-qlinear", "power-of-two-floor"]);
        let rates = Rates::measure(&pair, &[sample(1.0 / 3.0, 0, &[30, 3, 300, 0])]);
        let rate = rates.between(0, 1).unwrap();
        assert_eq!((rate.differing, rate.by_one, rate.largest), (3, 1, 25));
        assert_eq!(
            (rate.share(), rate.share_by_one()),
            (Some(0.75), Some(0.25))
        );
        // The largest stays, whatever follows it.
        let samples = [[300], [0], [3]].map(|acc| sample(1.0 / 3.0, 0, &acc));
        let rates = Rates::measure(&pair, &samples);
        let rate = rates.between(0, 1).unwrap();
        assert_eq!((rate.channels, rate.outputs, rate.largest), (3, 3, 25));
    }

    #[test]
    fn only_channels_count_for_which_both_have_numbers() {
        // NEMO knows no zero point, SQ8 does.
        let [nemo, sq8, pulp] = contracts(["nemo", "nntool-sq8", "pulp-nn-shift"]);
        let samples = [sample(0.25, 0, &[1, 2]), sample(0.25, 1, &[1, 2, 3])];
        let rates = Rates::measure(&[nemo, sq8, pulp], &samples);
        let rate = rates.between(0, 1).unwrap();
        assert_eq!((rate.channels, rate.outputs), (1, 2));
        let rates = Rates::measure(&[nemo, sq8, pulp], &samples[1..]);
        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
            let rate = rates.between(a, b).unwrap();
            assert_eq!((rate.share(), rate.share_by_one()), (None, None));
            assert_eq!(rate.channels, 0);
        }
        assert_eq!(rates.gate(|_| true).pairs, 0);
    }

    #[test]
    fn only_accumulators_within_both_domains_count() {
        // 4 shifts an accumulator left by 3 bits: it must fit 29.
        let pair = contracts(["litert-reference-conv", "litert-reference-fc"]);
        let rates = Rates::measure(&pair, &[sample(4.0, 0, &[1, 1 << 28, i32::MIN, i32::MAX])]);
        let rate = rates.between(0, 1).unwrap();
        assert_eq!((rate.channels, rate.outputs, rate.differing), (1, 1, 0));
    }

    #[test]
    fn a_gate_of_one_notices_what_differs_by_two() {
        let all = contracts([
            "onnxruntime-qlinear",
            "litert-xnnpack",
            "q16-rounded",
            "power-of-two-floor",
            "nemo",
        ]);
        let samples = [sample(0.25, 1, &[2, 4]), sample(0.3, 1, &[100])];
        // Equal; by one on the tie; 30 against 25 codes of 0.3 and ¼; NEMO knows no zero point.
        let rates = Rates::measure(&all, &samples);
        let gate = rates.gate(|_| true);
        assert_eq!(
            gate,
            Gate {
                pairs: 6,
                differing: 5,
                noticed: 3
            }
        );
        let floats = rates.gate(|contract| contract.class == all[0].class);
        assert_eq!((floats.pairs, floats.differing, floats.noticed), (1, 0, 0));
        let none = Rates::measure(&[], &samples).gate(|_| true);
        assert_eq!((none.pairs, none.differing, none.noticed), (0, 0, 0));
        assert_eq!(Rates::measure(&all[..1], &samples).between(0, 0), None);
    }

    #[test]
    fn populations_are_what_they_say() {
        let populations = populations(254);
        for population in &populations {
            let name = population.name;
            assert_eq!(population.samples.len(), 508, "{name}");
            let (mut count, mut ties, mut within, mut odd_zero_points) = (0, 0, 0, 0);
            for sample in &population.samples {
                let multiplier = sample.channel.multiplier();
                let range = 2f64.powi(-11)..=2f64.powi(-4);
                assert!(range.contains(&multiplier), "{multiplier}");
                odd_zero_points += sample.channel.output_zero_point & 1;
                for &acc in &sample.accumulators {
                    let value = f64::from(acc) * multiplier;
                    let from_tie = (value.abs().fract() - 0.5).abs();
                    // No further from it than half an accumulator.
                    assert!(
                        name != "near ties" || from_tie <= multiplier / 2.0,
                        "{value}"
                    );
                    count += 1;
                    ties += usize::from(from_tie == 0.0);
                    within += usize::from(value.abs() < DEVIATION);
                }
            }
            assert_eq!(odd_zero_points.abs(), 254);
            if name == "near ties" {
                assert_eq!(count, 508 * 262);
                assert!((1500..4000).contains(&ties), "{ties}");
                continue;
            }
            assert_eq!(count, 508 * 1024);
            // 68.27 % of a normal distribution.
            let share = within as f64 / count as f64;
            assert!((0.675..0.690).contains(&share), "{share}");
            match name {
                "generic" => assert_eq!(ties, 0),
                // An eighth of them at each of 2^-4 to 2^-11: about a 64th.
                _ => assert!((7900..8500).contains(&ties), "{ties}"),
            }
        }
        let multipliers: std::collections::BTreeSet<u64> = (populations[2].samples.iter())
            .map(|sample| sample.channel.multiplier().to_bits())
            .collect();
        assert_eq!(multipliers.len(), 254);
    }

    #[test]
    fn the_known_rates_come_out() {
        let all = contracts([
            "onnxruntime-qlinear",
            "litert-reference-conv",
            "pytorch-onednn-conv",
            "nntool-sq8",
        ]);
        let [generic, powers, ties] =
            populations(256).map(|population| Rates::measure(&all, &population.samples));
        let within = |rates: &Rates, b: usize, range: std::ops::Range<f64>| {
            let percent = 100.0 * rates.between(0, b).unwrap().share().unwrap();
            assert!(range.contains(&percent), "{percent} of {b}");
        };
        // 2^-(r+1) of the outputs for right shifts r of 4 to 10 bits: 0.89 % on average.
        within(&generic, 1, 0.85..0.92);
        within(&generic, 2, 0.0..0.01);
        within(&generic, 3, 4.0..5.0);
        within(&powers, 1, 1.4..1.7);
        within(&powers, 2, 0.6..0.9);
        within(&ties, 1, 40.0..60.0);
    }
}
