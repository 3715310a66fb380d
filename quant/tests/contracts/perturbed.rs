//! Arithmetic that no framework has is not named: ten thousand perturbed contracts.

use std::ops::RangeInclusive;

use quant::Rounding;
use quant::contracts::directed::all_steps;
use quant::contracts::identify::Observation;
use quant::contracts::separate::reach;
use quant::contracts::{Channel, Clamp};
use quant::prove::Random;
use rayon::prelude::*;

/// How many channels, and how many perturbed contracts on each.
const CHANNELS: u64 = 1_000;
const EACH: usize = 10;

/// A requantization of some make: a multiplier of some bits or in some order of floats, one
/// rounding or two, the zero point before or after it.
#[derive(Clone, Copy, Debug)]
struct Perturbed {
    factors: Factors,
    /// Rounded to this many fractional bits first.
    first: Option<(u32, Rounding)>,
    last: Rounding,
    zero_point_first: bool,
}

#[derive(Clone, Copy, Debug)]
enum Factors {
    /// The multiplier cut to so many bits.
    Bits(u32, Rounding),
    /// acc·s_w, then ·s_i, then ÷ s_o, in float32.
    WeightFirst,
    /// acc·(s_i/s_o), then ·s_w, in float32.
    OutputFirst,
    /// acc ÷ (s_o/s_i), then ·s_w, in float32.
    Divided,
}

impl Perturbed {
    fn random(random: &mut Random) -> Self {
        let rounding = |random: &mut Random| Rounding::ALL[random.below(Rounding::ALL.len())];
        Self {
            factors: match random.below(6) {
                0 => Factors::WeightFirst,
                1 => Factors::OutputFirst,
                2 => Factors::Divided,
                _ => Factors::Bits(2 + random.below(38) as u32, rounding(random)),
            },
            first: random
                .one_in(3)
                .then(|| (random.below(12) as u32, rounding(random))),
            last: rounding(random),
            zero_point_first: random.one_in(2),
        }
    }

    /// Never falls as `acc` rises: each step is a monotone rounding of a product.
    fn code(&self, channel: &Channel, acc: i32) -> i32 {
        let scales = [
            channel.input_scale,
            channel.weight_scale,
            channel.output_scale,
        ];
        let [input, weight, output] = scales.map(|scale| scale as f32);
        let mut value = match self.factors {
            Factors::Bits(bits, rounding) => {
                let multiplier = channel.multiplier();
                let unit = 2f64.powi(multiplier.log2().floor() as i32 + 1 - bits as i32);
                f64::from(acc) * (rounding.round(multiplier / unit) * unit)
            }
            Factors::WeightFirst => f64::from(acc as f32 * weight * input / output),
            Factors::OutputFirst => f64::from(acc as f32 * (input / output) * weight),
            Factors::Divided => f64::from(acc as f32 / (output / input) * weight),
        };
        if let Some((bits, rounding)) = self.first {
            let unit = 2f64.powi(-(bits as i32));
            value = rounding.round(value / unit) * unit;
        }
        let zero_point = f64::from(channel.output_zero_point);
        let code = match self.zero_point_first {
            true => self.last.round(value + zero_point),
            false => self.last.round(value) + zero_point,
        };
        let Clamp { low, high } = channel.clamp;
        code.clamp(f64::from(low), f64::from(high)) as i32
    }
}

/// Generic scales, or a multiplier of few bits, where ties are.
fn channel(random: &mut Random) -> Channel {
    let zero_point = [0, 0, 3, -7, 20, -128][random.below(6)];
    let multiplier = 2f64.powf(f64::from(random.unit()) * 2.5 - 4.5);
    if random.one_in(2) {
        let short = (multiplier * 256.0).round().max(1.0) / 256.0;
        return Channel::of_multiplier(short, zero_point);
    }
    let [input, weight] = [0.02, 0.3].map(|size| size * (1.5 + f64::from(random.unit())));
    Channel::int8(input, weight, input * weight / multiplier, zero_point)
}

/// What a trial showed.
#[derive(Clone, Debug, PartialEq)]
enum Shown {
    Nothing,
    /// These many names, each equal on every accumulator.
    Equal(usize),
    False(String),
}

/// [`EACH`] perturbed contracts on the steps of a channel.
fn trials(seed: u64) -> Vec<Shown> {
    let mut random = Random::new(seed);
    let channel = channel(&mut random);
    let range = reach(&channel);
    let accumulators = all_steps(&channel, &range);
    (0..EACH)
        .map(|_| {
            trial(
                Perturbed::random(&mut random),
                &channel,
                &range,
                &accumulators,
            )
        })
        .collect()
}

fn trial(
    perturbed: Perturbed,
    channel: &Channel,
    range: &RangeInclusive<i32>,
    accumulators: &[i32],
) -> Shown {
    let codes_of = |accumulators: &[i32]| -> Vec<i32> {
        (accumulators.iter())
            .map(|&acc| perturbed.code(channel, acc))
            .collect()
    };
    let (positions, codes) = (accumulators.len(), codes_of(accumulators));
    let observation =
        Observation::new(vec![*channel], positions, accumulators.to_vec(), codes).unwrap();
    let found = observation.identify();
    if found.exact.is_empty() {
        return Shown::Nothing;
    }
    let all: Vec<i32> = range.clone().collect();
    let expected = codes_of(&all);
    let mut got = vec![0; all.len()];
    for contract in &found.exact {
        contract
            .prepare(channel)
            .unwrap()
            .requantize_all(&all, &mut got);
        if let Some(at) = (0..all.len()).find(|&at| got[at] != expected[at]) {
            return Shown::False(format!(
                "{contract:?} at {}: {perturbed:?}, {channel:?}",
                all[at]
            ));
        }
    }
    Shown::Equal(found.exact.len())
}

#[test]
fn no_name_is_false() {
    let shown: Vec<Shown> = (0..CHANNELS)
        .into_par_iter()
        .flat_map_iter(trials)
        .collect();
    let wrong: Vec<&Shown> = shown
        .iter()
        .filter(|s| matches!(s, Shown::False(_)))
        .collect();
    assert_eq!(wrong, Vec::<&Shown>::new());
    let nothing = shown.iter().filter(|s| **s == Shown::Nothing).count();
    let equal = shown.len() - nothing;
    println!(
        "{nothing} of {} without a name, {equal} equal to a contract everywhere",
        shown.len()
    );
    assert_eq!(shown.len(), 10_000);
    assert!(nothing > 4_000 && equal > 4_000, "{nothing}, {equal}");
}
