//! Ways to be wrong (or right) that no mistake describes.

use std::fmt;

use quant::prove::Random;
use reference::ShapeError;

use crate::backend::{Probe, Trial};
use crate::model::{Accumulate, Requantize, Step, Values};

/// What was done to a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// Nothing.
    Right,
    /// Some bits of the output's codes are flipped.
    OutputBits,
    /// One bit of one weight is flipped, not its sign.
    WeightBit,
    /// A bias code is 1 to 5000 too large.
    Bias,
    /// The multiplier is off by a random factor, 2 to 30 %.
    Multiplier,
    /// Two channels of the output are exchanged.
    Channels,
    /// All weights of a layer are in a random order.
    Order,
    /// Random codes are off by one.
    Noise,
}

impl Stranger {
    const ALL: [Self; 8] = [
        Self::Right,
        Self::OutputBits,
        Self::WeightBit,
        Self::Bias,
        Self::Multiplier,
        Self::Channels,
        Self::Order,
        Self::Noise,
    ];
}

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Right => "right",
            Self::OutputBits => "bits of the output flipped",
            Self::WeightBit => "a bit of a weight flipped",
            Self::Bias => "a bias too large",
            Self::Multiplier => "another multiplier",
            Self::Channels => "two channels exchanged",
            Self::Order => "weights in a random order",
            Self::Noise => "codes off by one at random",
        })
    }
}

/// A random stranger, and the codes that it makes of a probe. One that does not apply to the
/// layer leaves it right.
pub(super) fn observe(
    trial: &Trial,
    probe: &Probe,
    random: &mut Random,
) -> Result<(Stranger, Values), ShapeError> {
    let stranger = Stranger::ALL[random.below(Stranger::ALL.len())];
    let mut output = probe.input.clone();
    let mut applied = false;
    for node in probe.nodes.clone() {
        let mut step = trial.model.nodes[node].step.clone();
        applied |= match &mut step {
            Step::Accumulate(sums) => change_sums(stranger, sums, random),
            Step::Requantize(requantize) => change_scales(stranger, requantize, random),
            _ => false,
        };
        output = step.run(&output)?;
    }
    applied |= change_output(stranger, &mut output, random);
    Ok((if applied { stranger } else { Stranger::Right }, output))
}

fn change_sums(stranger: Stranger, sums: &mut Accumulate, random: &mut Random) -> bool {
    let weights = sums.weight.data().len();
    match stranger {
        Stranger::WeightBit => {
            let weight = &mut sums.weight.data_mut()[random.below(weights)];
            *weight = i32::from((*weight as i8) ^ (1 << random.below(7)));
        }
        Stranger::Bias => {
            let channel = random.below(sums.bias.len());
            sums.bias[channel] += 1 + random.below(5000) as i64;
        }
        Stranger::Order => {
            for at in (1..weights).rev() {
                let other = random.below(at + 1);
                sums.weight.data_mut().swap(at, other);
            }
        }
        _ => return false,
    }
    true
}

fn change_scales(stranger: Stranger, requantize: &mut Requantize, random: &mut Random) -> bool {
    if stranger != Stranger::Multiplier {
        return false;
    }
    // No power of two, and further off than a scale in float16 or of a few bits.
    let by = 0.02 + 0.28 * f64::from(random.unit().abs());
    let factor = if random.one_in(2) { 1.0 + by } else { 1.0 - by };
    for channel in &mut requantize.channels {
        channel.output_scale *= factor;
    }
    true
}

fn change_output(stranger: Stranger, output: &mut Values, random: &mut Random) -> bool {
    let count = output.data().len();
    let mut some = |random: &mut Random, f: &dyn Fn(f64, &mut Random) -> f64| {
        for _ in 0..1 + random.below(20) {
            let code = &mut output.data_mut()[random.below(count)];
            *code = f(*code, random);
        }
    };
    match stranger {
        Stranger::OutputBits => some(random, &|code, random| {
            f64::from((code as i32 as u8 ^ (1 << random.below(8))) as i8)
        }),
        Stranger::Noise => some(random, &|code, random| {
            let step = if random.one_in(2) { 1.0 } else { -1.0 };
            (code + step).clamp(-128.0, 127.0)
        }),
        Stranger::Channels => {
            let [channels, plane] = match *output.shape() {
                [_, c, h, w] => [c, h * w],
                _ => [output.item_len(), 1],
            };
            let (a, b) = (random.below(channels), random.below(channels));
            let item = channels * plane;
            for at in 0..count / item.max(1) * plane {
                let start = at / plane * item + at % plane;
                output.data_mut().swap(start + a * plane, start + b * plane);
            }
        }
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use fixtures::Fixtures;
    use quant::Rounding;
    use quant::contracts::{Channel, Clamp};
    use quant::scheme::Granularity;
    use reference::Tensor;

    use super::*;
    use crate::model::{Accumulator, Arithmetic, GOLDEN, MODELS, Overflow};

    fn sums() -> Accumulate {
        let weights = (0..40).map(|w| 3 * w - 60).collect();
        Accumulate {
            geometry: None,
            weight: Tensor::new(&[4, 10], weights).unwrap(),
            weight_zero_points: vec![0; 4],
            bias: vec![0, 100, -100, 7],
            input_zero_point: 0,
            padding: 0,
            accumulator: Accumulator::Exact,
        }
    }

    /// What a stranger makes of the sums, under many seeds.
    fn changed(stranger: Stranger) -> impl Iterator<Item = Accumulate> {
        (0..400).map(move |seed| {
            let mut changed = sums();
            assert!(change_sums(stranger, &mut changed, &mut Random::new(seed)));
            changed
        })
    }

    /// Where and by how much two lists differ.
    fn differences<T: Copy + PartialEq>(right: &[T], wrong: &[T]) -> Vec<(usize, T, T)> {
        let both = right.iter().zip(wrong).enumerate();
        both.filter(|(_, (a, b))| a != b)
            .map(|(at, (&a, &b))| (at, a, b))
            .collect()
    }

    #[test]
    fn one_bit_of_one_weight_is_flipped() {
        let (mut bits, mut places) = (BTreeSet::new(), BTreeSet::new());
        for sums_of in changed(Stranger::WeightBit) {
            assert_eq!(sums_of.bias, sums().bias);
            let differing = differences(sums().weight.data(), sums_of.weight.data());
            let [(at, right, wrong)] = differing[..] else {
                panic!("{differing:?}")
            };
            places.insert(at);
            bits.insert((right as i8 ^ wrong as i8) as u8);
        }
        assert_eq!(bits, BTreeSet::from([1, 2, 4, 8, 16, 32, 64]));
        assert_eq!(places, (0..40).collect());
    }

    #[test]
    fn one_bias_is_larger_by_up_to_5000() {
        let mut by = BTreeSet::new();
        for sums_of in changed(Stranger::Bias) {
            assert_eq!(sums_of.weight, sums().weight);
            let differing = differences(&sums().bias, &sums_of.bias);
            let [(at, right, wrong)] = differing[..] else {
                panic!("{differing:?}")
            };
            assert!((1..=5000).contains(&(wrong - right)));
            by.insert((at, wrong - right));
        }
        assert!(by.len() > 300 && (0..4).all(|at| by.iter().any(|&(of, _)| of == at)));
    }

    #[test]
    fn weights_are_in_another_order() {
        let mut firsts = BTreeSet::new();
        for mut sums_of in changed(Stranger::Order) {
            firsts.insert(sums_of.weight.data()[0]);
            assert_ne!(sums_of.weight, sums().weight);
            sums_of.weight.data_mut().sort_unstable();
            assert_eq!(sums_of.weight, sums().weight);
        }
        assert!(firsts.len() > 30, "any weight may come first: {firsts:?}");
    }

    #[test]
    fn all_channels_have_one_other_multiplier() {
        let channel = Channel {
            input_scale: 1.0,
            weight_scale: 1.0,
            output_scale: 64.0,
            output_zero_point: 0,
            clamp: Clamp {
                low: -128,
                high: 127,
            },
            bias: None,
            granularity: Granularity::PerTensor,
        };
        let right = Requantize {
            channels: vec![channel; 3],
            axis: 1,
            arithmetic: Arithmetic::Division(Rounding::TiesToEven),
            overflow: Overflow::Saturate,
        };
        let mut scales = Vec::new();
        for seed in 0..100 {
            let mut wrong = right.clone();
            let random = &mut Random::new(seed);
            assert!(change_scales(Stranger::Multiplier, &mut wrong, random));
            let scale = wrong.channels[0].output_scale;
            assert!(
                (0.02..0.3 + 1e-9).contains(&(scale / 64.0 - 1.0).abs()),
                "{scale}"
            );
            let expected = Channel {
                output_scale: scale,
                ..channel
            };
            assert_eq!(wrong.channels, [expected; 3]);
            scales.push(scale);
        }
        let least = scales.iter().copied().fold(f64::INFINITY, f64::min);
        let most = scales.iter().copied().fold(0.0, f64::max);
        assert!(least < 50.0 && most > 78.0, "{least} to {most}");
        let mut same = right.clone();
        assert!(!change_scales(
            Stranger::Noise,
            &mut same,
            &mut Random::new(0)
        ));
        assert_eq!(same.channels, right.channels);
    }

    /// Two images of 3 channels of 5 × 7, all codes different from their neighbours.
    fn codes() -> Values {
        let codes = (0..210).map(|at| f64::from(at - 105)).collect();
        Tensor::new(&[2, 3, 5, 7], codes).unwrap()
    }

    fn outputs(stranger: Stranger, of: &Values) -> impl Iterator<Item = Values> {
        (0..200).map(move |seed| {
            let mut output = of.clone();
            let random = &mut Random::new(seed);
            assert!(change_output(stranger, &mut output, random));
            output
        })
    }

    #[test]
    fn a_few_codes_have_other_bits_or_are_off_by_one() {
        let codes = codes();
        let (mut seen, mut cleared) = (BTreeSet::new(), 0);
        let mut places = BTreeSet::new();
        for output in outputs(Stranger::OutputBits, &codes) {
            let differing = differences(codes.data(), output.data());
            assert!(differing.len() <= 20);
            for (at, right, wrong) in differing {
                assert!((-128.0..=127.0).contains(&wrong));
                places.insert(at);
                seen.insert((right as i8 ^ wrong as i8) as u8);
                cleared += usize::from((right as i8 & !(wrong as i8)) != 0);
            }
        }
        assert!(cleared > 500, "{cleared}");
        assert!((0..8).all(|bit| seen.contains(&(1 << bit))), "{seen:?}");
        assert!(places.len() > 150, "{}", places.len());
        let ends = Tensor::new(&[1, 8], [[-128.0, 127.0]; 4].concat()).unwrap();
        let mut counts = BTreeSet::new();
        for output in outputs(Stranger::Noise, &codes) {
            let differing = differences(codes.data(), output.data());
            counts.insert(differing.len());
            // Twice at one place, now and then.
            let by = |(_, right, wrong): &(usize, f64, f64)| (right - wrong).abs();
            assert!(differing.iter().all(|one| by(one) <= 4.0));
            assert!(differing.len() < 5 || differing.iter().any(|one| by(one) == 1.0));
        }
        assert!(
            counts.contains(&1) && counts.last() > Some(&17),
            "{counts:?}"
        );
        let noisy: Vec<f64> = outputs(Stranger::Noise, &ends)
            .flat_map(Tensor::into_data)
            .collect();
        assert!(noisy.iter().all(|code| (-128.0..=127.0).contains(code)));
        assert!(noisy.contains(&-127.0) && noisy.contains(&126.0));
    }

    #[test]
    fn two_channels_are_exchanged_in_every_image() {
        for (shape, channels) in [(&[2, 3, 5, 7][..], 3), (&[7, 30], 30)] {
            let right = codes().reshape(shape).unwrap();
            let plane = right.item_len() / channels;
            let mut exchanged = BTreeSet::new();
            for output in outputs(Stranger::Channels, &right) {
                let of = |values: &Values, image: usize, channel: usize| {
                    values.item(image)[channel * plane..][..plane].to_vec()
                };
                // Where each channel came from: the same in every image.
                let from: Vec<usize> = (0..channels)
                    .map(|to| {
                        let same = |from: &usize| of(&right, 0, *from) == of(&output, 0, to);
                        (0..channels).find(same).unwrap()
                    })
                    .collect();
                for image in 0..shape[0] {
                    for (to, &from) in from.iter().enumerate() {
                        assert_eq!(of(&output, image, to), of(&right, image, from));
                    }
                }
                let moved: Vec<usize> = (0..channels).filter(|&to| from[to] != to).collect();
                assert!(moved.len() == 2 || moved.is_empty(), "{from:?}");
                exchanged.insert(moved);
            }
            assert!(exchanged.len() > channels, "{exchanged:?}");
        }
    }

    #[test]
    fn what_was_done_is_said_and_shows() {
        let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
        let trial = Trial::new(&fixtures, "mlp-mnist", MODELS[0], GOLDEN, 1, 1).unwrap();
        let probe = trial.probe("layer-fc1").unwrap();
        let golden = probe.golden_of(probe.nodes.end - 1);
        let mut seen = Vec::new();
        for seed in 0..100 {
            let random = &mut Random::new(seed);
            let (stranger, output) = observe(&trial, probe, random).unwrap();
            match stranger {
                Stranger::Right => assert_eq!(output, *golden),
                _ if output != *golden => seen.push(stranger),
                _ => {}
            }
        }
        for stranger in &Stranger::ALL[1..] {
            assert!(seen.contains(stranger), "{stranger} never showed");
        }
        // A ReLU has no bias.
        let relu = trial.probe("layer-relu1").unwrap();
        let of = |seed: u64| observe(&trial, relu, &mut Random::new(seed)).unwrap().0;
        assert!((0..100).all(|seed| of(seed) != Stranger::Bias));
    }
}
