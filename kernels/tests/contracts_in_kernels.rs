//! Every contract that never falls runs in the kernels: certified constants give its codes for
//! every accumulator of the reach, on every instruction set, in both of the ways in which
//! kernels requantize: as tiles do, and as the depthwise algorithm does.

use kernels::conv2d::{Conv2dWeights, Scratch};
use kernels::layout::{MapShape, SLACK};
use kernels::requantizer::{Channel as Certified, Requantizer, Scaling, Stored};
use kernels::{Conv2d, Kernels, dispatch};
use quant::contracts::{ALL, Channel};
use quant::prove::Random;
use reference::Conv2dGeometry;

/// Accumulators on either side.
const REACH: i32 = 60_000;

/// So many channels have an accumulator of the reach for each code of their input.
const CHANNELS: usize = (2 * REACH as usize + 1).div_ceil(256);

/// A depthwise convolution of one pixel and weights of 1, whose accumulators are
/// `256 · channel + stored code − REACH`.
struct Depthwise {
    conv: Conv2d,
    maps: MapShape,
    scratch: Scratch,
}

impl Depthwise {
    fn new(set: Kernels) -> Self {
        let maps = MapShape {
            height: 1,
            width: 256,
            channels: CHANNELS,
            border: [0, 0],
        };
        let bias: Vec<i32> = (0..CHANNELS as i32)
            .map(|channel| 256 * channel - REACH)
            .collect();
        let weights = Conv2dWeights {
            shape: [CHANNELS, 1, 1, 1],
            codes: &[1; CHANNELS],
            bias: Some(&bias),
            input_zero: 0,
        };
        let geometry = Conv2dGeometry {
            groups: CHANNELS,
            ..Conv2dGeometry::default()
        };
        let conv = Conv2d::new(set, &weights, geometry, maps).unwrap();
        assert_eq!(conv.algorithm(), "depthwise");
        Self {
            conv,
            maps,
            scratch: Scratch::default(),
        }
    }

    /// The stored codes of all accumulators of the reach.
    fn requantize(&mut self, requantizer: Requantizer) -> Vec<u8> {
        let requantizer = self.conv.arranged(requantizer);
        let mut input = vec![0; self.maps.bytes() + SLACK];
        for (stored, pixel) in (0..=u8::MAX).zip(input.chunks_exact_mut(CHANNELS)) {
            pixel.fill(stored);
        }
        let mut codes = vec![0; self.maps.bytes()];
        let Self {
            conv,
            maps,
            scratch,
        } = self;
        conv.codes(&input, &requantizer, false, &mut codes, maps, scratch);
        (0..2 * REACH as usize + 1)
            .map(|acc| codes[acc % 256 * CHANNELS + acc / 256])
            .collect()
    }
}

/// A published example, powers of two, which put accumulators on ties, and random scales.
fn channels() -> Vec<Channel> {
    let mut random = Random::new(3);
    let mut channels = vec![
        Channel::of_multiplier(0.25, 0),
        Channel::of_multiplier(0.0625, 3),
        Channel::of_multiplier(1.0 / 1024.0, -5),
        Channel::int8(0.052_961_246, 0.024_093_779, 0.114_843_28, -126),
    ];
    for _ in 0..12 {
        let mut scale = || f64::from(random.unit().abs()) * 0.1 + 1e-3;
        let [input, weight, output] = [scale(), scale(), scale()];
        let zero_point = random.below(256) as i32 - 128;
        channels.push(Channel::int8(input, weight, output, zero_point));
    }
    channels
}

#[test]
fn certified_constants_give_a_contracts_codes() {
    let accumulators: Vec<i32> = (-REACH..=REACH).collect();
    let sets = dispatch::available();
    let mut depthwise: Vec<Depthwise> = sets.iter().map(|&set| Depthwise::new(set)).collect();
    let mut table = Vec::new();
    for contract in ALL {
        let (mut certified, mut refused, mut falling, mut divided) = (0, 0, 0, 0);
        for channel in channels() {
            let Ok(prepared) = contract.prepare(&channel) else {
                continue;
            };
            let mut codes = vec![0; accumulators.len()];
            prepared.requantize_all(&accumulators, &mut codes);
            if !codes.is_sorted() {
                falling += 1;
                continue;
            }
            let code = |acc: i32| codes[(acc + REACH) as usize];
            let one = Certified {
                reach: -REACH..=REACH,
                slope: channel.multiplier(),
                code: &code,
            };
            let found = Requantizer::certify_alike(
                &one,
                CHANNELS,
                channel.output_zero_point,
                Stored::Signed,
                Stored::Signed.codes(),
            );
            let Some(requantizer) = found else {
                refused += 1;
                continue;
            };
            certified += 1;
            divided += usize::from(requantizer.scaling() == Scaling::Divide);
            for (set, depthwise) in sets.iter().zip(&mut depthwise) {
                let mut stored = vec![0; codes.len()];
                set.requantize(&accumulators, &requantizer, &mut stored);
                let by_depthwise = depthwise.requantize(requantizer.clone());
                for (by, stored) in [("tiles", stored), ("depthwise", by_depthwise)] {
                    let wrong = (stored.iter().zip(&codes))
                        .position(|(&stored, &code)| i32::from(stored) - 128 != code);
                    assert_eq!(
                        wrong.map(|at| accumulators[at]),
                        None,
                        "{contract:?} of {channel:?} on {}, {by}",
                        set.isa()
                    );
                }
            }
        }
        table.push(format!(
            "{:<28} {certified:>3} certified ({divided} by division), {refused:>3} not, {falling:>3} fall",
            contract.name
        ));
        assert!(certified > 0, "{contract:?} was never certified");
    }
    println!("{}", table.join("\n"));
}

/// Channels of other multipliers or offsets than their neighbours', in several blocks of lanes.
#[test]
fn the_depthwise_algorithm_reads_the_constants_of_each_channel() {
    let rules = [1.0 / 256.0, 1.0 / 512.0, 0.003]
        .map(|multiplier| [0.0, 0.5, 0.25].map(|offset| (multiplier, offset)))
        .concat();
    let rule = |channel: usize| rules[channel % rules.len()];
    let code = |(multiplier, offset): (f64, f64), acc: i32| {
        let code = (f64::from(acc) * multiplier + offset).floor() as i32;
        code.clamp(-128, 127)
    };
    let codes: Vec<_> = (0..CHANNELS)
        .map(|channel| move |acc: i32| code(rule(channel), acc))
        .collect();
    let channels: Vec<Certified<'_>> = (codes.iter().enumerate())
        .map(|(channel, code)| Certified {
            reach: -REACH..=REACH,
            slope: rule(channel).0,
            code,
        })
        .collect();
    let requantizer =
        Requantizer::certify(&channels, 0, Stored::Signed, Stored::Signed.codes()).unwrap();
    for set in dispatch::available() {
        let stored = Depthwise::new(set).requantize(requantizer.clone());
        for (at, stored) in stored.into_iter().enumerate() {
            let (acc, channel) = (at as i32 - REACH, at / 256);
            let expected = codes[channel](acc);
            assert_eq!(
                i32::from(stored) - 128,
                expected,
                "{acc} of {channel}, {}",
                set.isa()
            );
        }
    }
}
