//! A contract is named by what it computed, and by nothing less.

use std::collections::BTreeSet;

use proptest::prelude::RngExt;
use proptest::test_runner::{RngAlgorithm, TestRng};
use quant::contracts::identify::{Observation, ObservationError};
use quant::contracts::separate::{Apart, few, reach, separate};
use quant::contracts::{ALL, Channel, Contract, find};

/// Ties with an odd zero point, an odd multiplier, and one so small that float32 rounds.
fn channels(zero_point: i32) -> Vec<Channel> {
    [
        (0.25, 1.0, 1.0),
        (0.046_875, 1.0, 1.0),
        (
            0.052_961_245_179_176_33,
            0.024_093_778_803_944_588,
            0.114_843_279_123_306_27,
        ),
        (0.013, 0.0071, 1.1),
    ]
    .map(|(input, weight, output)| Channel::int8(input, weight, output, zero_point))
    .to_vec()
}

/// Beside the ties of one channel.
fn directed(channel: &Channel) -> Vec<i32> {
    (-140..140)
        .map(|n| ((f64::from(n) + 0.5) / channel.multiplier()).round() as i32)
        .collect()
}

/// The accumulators of all channels, in rows of 280, and a contract's codes.
fn observed(contract: &Contract, channels: &[Channel]) -> Option<(Vec<i32>, Vec<i32>)> {
    let (mut accumulators, mut codes) = (Vec::new(), Vec::new());
    for channel in channels {
        let prepared = contract.prepare(channel).ok()?;
        let row = directed(channel);
        codes.extend(row.iter().map(|&acc| prepared.requantize(acc)));
        accumulators.extend(row);
    }
    Some((accumulators, codes))
}

fn observe(channels: &[Channel], accumulators: Vec<i32>, codes: Vec<i32>) -> Observation {
    Observation::new(channels.to_vec(), 280, accumulators, codes).unwrap()
}

#[test]
fn its_own_codes_name_a_contract_and_whatever_equals_it_there() {
    let mut named = 0;
    for zero_point in [0, 3] {
        let channels = channels(zero_point);
        for contract in ALL {
            let Some((accumulators, codes)) = observed(contract, &channels) else {
                continue;
            };
            let found = observe(&channels, accumulators, codes.clone()).identify();
            assert!(found.exact.contains(&contract), "{contract:?}");
            for other in ALL {
                let same = observed(other, &channels).is_some_and(|(_, other)| other == codes);
                assert_eq!(
                    found.exact.contains(&other),
                    same,
                    "{contract:?}, {other:?}"
                );
            }
            let seen = found.exact.len() + found.differing.len() + found.inexpressible.len();
            assert_eq!(seen, ALL.len());
            named += 1;
        }
    }
    assert!(named > 50, "{named}");
}

/// Scales, zero points and accumulators at random: identify names the contracts that give
/// these codes and no other, whether they can be told apart there or not.
#[test]
fn on_random_inputs_exactly_those_are_named_that_are_equal_there() {
    let mut random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let (mut trials, mut equal, mut apart) = (0, 0, 0);
    for _ in 0..40 {
        let mut scale = |least: f64, most: f64| random.random_range(least..most);
        let [input, weight, output] = [scale(1e-3, 0.1), scale(1e-3, 0.1), scale(0.01, 1.0)];
        let zero_point = random.random_range(-128..=127);
        let channel = Channel::int8(input, weight, output, zero_point);
        // Few accumulators leave many contracts equal, many leave few.
        let count = 4usize << random.random_range(0..8);
        let reach = (400.0 / channel.multiplier()) as i32;
        let accumulators: Vec<i32> = (0..count)
            .map(|_| random.random_range(-reach..=reach))
            .collect();
        let codes: Vec<Option<Vec<i32>>> = (ALL.iter())
            .map(|contract| {
                let prepared = contract.prepare(&channel).ok()?;
                let codes = accumulators.iter().map(|&acc| prepared.requantize(acc));
                Some(codes.collect())
            })
            .collect();
        for (contract, own) in ALL.iter().zip(&codes) {
            let Some(own) = own else { continue };
            let found =
                Observation::new(vec![channel], count, accumulators.clone(), own.clone()).unwrap();
            let named = found.identify().exact;
            for (other, codes) in ALL.iter().zip(&codes) {
                let same = codes.as_ref() == Some(own);
                assert_eq!(
                    named.contains(&other),
                    same,
                    "{contract:?}, {other:?}, {channel:?}"
                );
                match same {
                    true => equal += usize::from(other.class != contract.class),
                    false => apart += 1,
                }
            }
            trials += 1;
        }
    }
    println!("{trials} observations: {equal} pairs of classes equal there, {apart} apart");
    assert!(
        trials > 1000 && equal > 1000 && apart > 1000,
        "{trials} {equal} {apart}"
    );
}

#[test]
fn one_code_changed_by_one_names_nothing() {
    let channels = channels(3);
    for contract in ALL {
        let Some((accumulators, mut codes)) = observed(contract, &channels) else {
            continue;
        };
        let at = 280 + 100;
        codes[at] += if codes[at] > 0 { -1 } else { 1 };
        let side = if codes[at] < 0 || codes[at] == 1 {
            1
        } else {
            -1
        };
        let found = observe(&channels, accumulators, codes).identify();
        let own = found
            .differing
            .iter()
            .find(|difference| difference.contract == contract);
        // Another contract may be the one that has this code.
        let own = own.unwrap();
        assert_eq!(
            (own.count, own.first, own.largest),
            (1, at, 1),
            "{contract:?}"
        );
        assert_eq!(own.pattern.side, side, "{contract:?}");
        assert!(!own.pattern.edges_only);
    }
}

#[test]
fn the_pattern_says_where_the_differences_lie() {
    let channel = [Channel::of_multiplier(0.25, 0)];
    let accumulators: Vec<i32> = (-140..140).collect();
    let even = find("litert-xnnpack")
        .unwrap()
        .prepare(&channel[0])
        .unwrap();
    // Halves away from zero: not like the others at ties alone, on both sides.
    let away = find("litert-reference-fc").unwrap();
    let codes = accumulators
        .iter()
        .map(|&acc| even.requantize(acc))
        .collect();
    let found = observe(&channel, accumulators.clone(), codes).identify();
    let of = |name: &str| {
        let of = |difference: &&_| {
            let difference: &quant::contracts::identify::Difference = difference;
            difference.contract.name == name
        };
        found.differing.iter().find(of).unwrap().clone()
    };
    let difference = of(away.name);
    assert!(difference.pattern.ties_only);
    assert_eq!(
        (
            difference.pattern.side,
            difference.largest,
            difference.count
        ),
        (0, 1, 36)
    );
    // Up is above even at ties only: the observed code is less.
    let difference = of("tosa-scale32-single");
    assert!(difference.pattern.ties_only);
    assert_eq!(difference.pattern.side, -1);
    let difference = of("power-of-two-floor");
    assert!(!difference.pattern.ties_only);
    assert_eq!(difference.pattern.side, 1);
    // Nearest first.
    let counts: Vec<usize> = found
        .differing
        .iter()
        .map(|difference| difference.count)
        .collect();
    assert!(counts.is_sorted());
    // A wrong clamp differs at the edge.
    let accumulators: Vec<i32> = (480..760).collect();
    let codes = accumulators
        .iter()
        .map(|&acc| even.requantize(acc).min(126))
        .collect();
    let found = observe(&channel, accumulators, codes).identify();
    assert!(found.exact.is_empty());
    assert!(found.differing[0].pattern.edges_only);
}

#[test]
fn a_directed_set_names_each_class_alone() {
    let channels = channels(3);
    let mut seen = BTreeSet::new();
    let one_of_each: Vec<&'static Contract> = (ALL.iter())
        .filter(|contract| {
            channels
                .iter()
                .all(|channel| contract.prepare(channel).is_ok())
        })
        .filter(|contract| seen.insert(contract.class))
        .collect();
    assert!(one_of_each.len() >= 15, "{one_of_each:?}");
    // Each channel alone leaves pairs that are equal on its reach; together hardly any.
    let separations = separate(&one_of_each, &channels, None).unwrap();
    let pairs = one_of_each.len() * (one_of_each.len() - 1) / 2;
    assert_eq!(separations.len(), pairs);
    let mut apart = 0;
    for separation in &separations {
        let [a, b] = separation.pair;
        let Some(at) = separation.at else { continue };
        let channel = &channels[at.channel];
        assert!(reach(channel).contains(&at.accumulator));
        let codes = [a, b].map(|of| of.prepare(channel).unwrap().requantize(at.accumulator));
        assert_eq!(codes, at.codes);
        assert_ne!(codes[0], codes[1]);
        apart += 1;
    }
    let equal: Vec<_> = (separations.iter())
        .filter(|separation| separation.at.is_none())
        .map(|separation| separation.pair)
        .collect();
    println!("{apart} of {pairs}; equal: {equal:?}");
    assert!(apart * 20 > pairs * 19, "{equal:?}");
}

#[test]
fn what_is_equal_is_certified_on_the_whole_range() {
    let [double, single, up_up, micro] = [
        "litert-reference-conv",
        "tosa-scale32-single",
        "litert-optimized",
        "tflite-micro",
    ]
    .map(|name| find(name).unwrap());
    // A multiplier of ½ has one rounding: all of them are the same.
    let half = [Channel::of_multiplier(0.5, 0)];
    let range = -100_000..=100_000;
    let found = separate(&[double, single, up_up, micro], &half, Some(&range)).unwrap();
    assert_eq!(found.len(), 6);
    assert!(found.iter().all(|separation| separation.at.is_none()));
    // 5/4: the first rounding lifts it onto the tie.
    let quarter = [Channel::of_multiplier(0.25, 0)];
    let found = separate(&[double, single], &quarter, Some(&(4..=6))).unwrap();
    assert_eq!(
        found[0].at,
        Some(Apart {
            channel: 0,
            accumulator: 5,
            codes: [2, 1]
        })
    );
    assert_eq!(
        separate(&[double, single], &quarter, Some(&(6..=8))).unwrap()[0].at,
        None
    );
    // Far from every tie: only the search of every accumulator finds it.
    let [int16, int32] = ["pulp-nn-quant", "pulp-nn-bn-quant"].map(|name| find(name).unwrap());
    let found = separate(&[int16, int32], &half, Some(&(0..=65_536))).unwrap();
    assert_eq!(
        found[0].at,
        Some(Apart {
            channel: 0,
            accumulator: 65_536,
            codes: [-128, 127]
        })
    );
    // The end of int32 is an end.
    let found = separate(&[double, micro], &half, Some(&(i32::MAX - 3..=i32::MAX))).unwrap();
    assert_eq!(found[0].at, None);
    assert!(
        separate(
            &[find("gemmlowp").unwrap()],
            &[Channel::of_multiplier(2.0, 0)],
            None
        )
        .is_err()
    );
}

#[test]
fn values_that_do_not_fit_are_errors() {
    let channel = Channel::of_multiplier(0.5, 0);
    let new = |channels, positions, values: usize, codes: usize| {
        Observation::new(channels, positions, vec![0; values], vec![0; codes]).map(|_| ())
    };
    assert_eq!(new(vec![channel], 1, 0, 0), Err(ObservationError::Empty));
    assert_eq!(
        new(vec![channel], 1, 3, 2),
        Err(ObservationError::Lengths {
            accumulators: 3,
            codes: 2
        })
    );
    for (channels, positions) in [(vec![channel; 2], 2), (vec![channel], 0), (vec![], 1)] {
        assert_eq!(
            new(channels.clone(), positions, 3, 3),
            Err(ObservationError::Channels {
                values: 3,
                channels: channels.len(),
                positions
            })
        );
    }
    assert_eq!(new(vec![channel; 3], 1, 6, 6), Ok(()));
}

/// Ties of a quarter: even before or after an odd zero point.
#[test]
fn an_odd_zero_point_is_seen() {
    let made = |zero_points: [i32; 2]| {
        let channels = zero_points.map(|zero_point| Channel::of_multiplier(0.25, zero_point));
        let after = find("pytorch-onednn-conv").unwrap();
        let accumulators: Vec<i32> = (-140..140).collect();
        let codes = (channels.iter())
            .map(|channel| after.prepare(channel).unwrap())
            .flat_map(|made| {
                (-140..140)
                    .map(move |acc| made.requantize(acc))
                    .collect::<Vec<_>>()
            })
            .collect();
        let found = observe(
            &channels,
            [accumulators.clone(), accumulators].concat(),
            codes,
        );
        let found = found.identify();
        let before = |difference: &&quant::contracts::identify::Difference| {
            difference.contract.name == "pytorch-fbgemm"
        };
        found
            .differing
            .iter()
            .find(before)
            .map(|found| found.pattern)
    };
    assert_eq!(made([0, 4]), None);
    let pattern = made([3, 0]).unwrap();
    assert!(pattern.ties_only && pattern.odd_zero_points_only);
    // Another multiplier differs with any zero point.
    let channels = [0, 3].map(|zero_point| Channel::of_multiplier(0.013, zero_point));
    let (accumulators, codes) = observed(find("q16-floor").unwrap(), &channels).unwrap();
    let found = observe(&channels, accumulators, codes).identify();
    assert!(
        found
            .differing
            .iter()
            .all(|found| !found.pattern.odd_zero_points_only)
    );
}

#[test]
fn a_few_accumulators_tell_what_many_do() {
    let channels = channels(0);
    let contracts = quant::contracts::one_of_each_class();
    let separations = separate(&contracts, &channels, None).unwrap();
    let chosen = few(&contracts, &channels, &separations).unwrap();
    assert!(chosen.len() < 30, "{}", chosen.len());
    for separation in &separations {
        let [a, b] = separation
            .pair
            .map(|of| contracts.iter().position(|c| *c == of).unwrap());
        let told = chosen
            .iter()
            .any(|telling| telling.codes[a] != telling.codes[b]);
        assert_eq!(told, separation.at.is_some(), "{separation:?}");
    }
    for telling in &chosen {
        let channel = &channels[telling.channel];
        for (contract, &code) in contracts.iter().zip(&telling.codes) {
            assert_eq!(
                contract
                    .prepare(channel)
                    .unwrap()
                    .requantize(telling.accumulator),
                code
            );
        }
    }
    assert_eq!(few(&contracts, &channels, &[]), Ok(vec![]));
}

#[test]
fn a_float_bias_moves_the_reach() {
    let without = Channel::int8(0.5, 0.25, 1.0, 10);
    let with = Channel {
        bias: Some(-100.0),
        ..without
    };
    // Codes −130 to 129 about 10, in eighths; −100 is 800 eighths less.
    assert_eq!(reach(&without), -1120..=952);
    assert_eq!(reach(&with), -320..=1752);
}
