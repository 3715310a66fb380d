//! Certificates for the committed networks: over every accumulator that a channel's weights can
//! reach, which contracts are equal.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::ops::RangeInclusive;

use fixtures::scheme::SchemeFixtures;
use fixtures::{Fixtures, NETWORKS, NetworkFixture};
use quant::affine::{AffineNetwork, ObservedRanges};
use quant::contracts::certify::{common_domain, groups};
use quant::contracts::reachable::{ReachableChannel, channels};
use quant::contracts::{ALL, Contract, Prepared, Requantize, one_of_each_class};
use rayon::prelude::*;

/// The network in a committed scheme.
fn quantized(fixtures: &Fixtures, name: &str, scheme: &str) -> AffineNetwork {
    let float = NetworkFixture::load(fixtures, name).unwrap().network;
    let schemes = SchemeFixtures::load(fixtures, name).unwrap().schemes;
    let golden = schemes.iter().find(|golden| golden.name == scheme).unwrap();
    let ranges = ObservedRanges {
        input: golden.input.range,
        outputs: golden
            .layers
            .iter()
            .map(|layer| layer.output.range)
            .collect(),
    };
    AffineNetwork::quantize(&float, &ranges, golden.scheme).unwrap()
}

fn narrow(wide: &RangeInclusive<i64>) -> RangeInclusive<i32> {
    let [low, high] = [wide.start(), wide.end()].map(|&end| i32::try_from(end).unwrap());
    low..=high
}

/// The contracts that have numbers for the channel, and which of them are equal on all that it
/// can reach.
fn certify(
    of: &[&'static Contract],
    at: &ReachableChannel,
) -> (Vec<&'static Contract>, Vec<usize>) {
    let (contracts, prepared): (Vec<&Contract>, Vec<Prepared>) = (of.iter())
        .copied()
        .filter_map(|contract| Some((contract, contract.prepare(&at.channel).ok()?)))
        .unzip();
    let prepared: Vec<&dyn Requantize> = prepared.iter().map(AsRef::as_ref).collect();
    let range = narrow(&at.accumulators);
    assert_eq!(
        common_domain(&prepared, &range),
        Some(range.clone()),
        "{at:?}"
    );
    (contracts, groups(&prepared, &range))
}

/// Channels of a layer that have the same scales are one, as wide as the widest of them.
fn merged(channels: Vec<ReachableChannel>) -> Vec<ReachableChannel> {
    let mut found: Vec<ReachableChannel> = Vec::new();
    for at in channels {
        let same = |other: &&mut ReachableChannel| {
            (&other.layer, other.channel) == (&at.layer, at.channel)
        };
        match found.iter_mut().find(same) {
            Some(other) => {
                let low = *at.accumulators.start().min(other.accumulators.start());
                let high = *at.accumulators.end().max(other.accumulators.end());
                other.accumulators = low..=high;
            }
            None => found.push(at),
        }
    }
    found
}

/// The classes that are equal here, most members first; fails where a class is not one.
fn equal_classes(of: &[&'static Contract], at: &ReachableChannel) -> Vec<BTreeSet<&'static str>> {
    let (contracts, groups) = certify(of, at);
    let mut classes: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    let mut group_of: BTreeMap<&str, usize> = BTreeMap::new();
    for (contract, group) in contracts.iter().zip(groups) {
        classes
            .entry(group)
            .or_default()
            .insert(contract.class.name);
        let first = *group_of.entry(contract.class.name).or_insert(group);
        assert_eq!(first, group, "{contract:?} is not of its class: {at:?}");
    }
    let mut classes: Vec<_> = classes.into_values().collect();
    classes.sort_by_key(|names| std::cmp::Reverse(names.len()));
    classes
}

/// Contracts of a class are equal on every accumulator that a committed network can reach; what
/// else is equal there is for a person to review.
#[test]
fn every_reachable_accumulator_is_tried() {
    let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
    let mut report = String::new();
    for name in NETWORKS {
        let all = channels(&quantized(&fixtures, name, "symmetric_8"));
        let count = all.len();
        writeln!(report, "{name}, {count} channels").unwrap();
        let layers = merged(all);
        let all: Vec<&Contract> = ALL.iter().collect();
        let equal: Vec<_> = layers
            .par_iter()
            .map(|at| equal_classes(&all, at))
            .collect();
        for (at, classes) in layers.iter().zip(equal) {
            let (low, high) = at.accumulators.clone().into_inner();
            writeln!(report, "  {}: {low} to {high}", at.layer).unwrap();
            for names in classes.iter().filter(|names| names.len() > 1) {
                let names: Vec<&str> = names.iter().copied().collect();
                writeln!(report, "    {}", names.join(" = ")).unwrap();
            }
            let alone = classes.iter().filter(|names| names.len() == 1).count();
            writeln!(report, "    and {alone} that are equal to no other").unwrap();
        }
    }
    insta::assert_snapshot!(report);
}

/// A scale for each channel: as many multipliers as there are channels.
#[test]
fn every_channel_with_a_scale_of_its_own_is_tried() {
    let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
    let all = channels(&quantized(&fixtures, "lenet5-mnist", "per_channel_8"));
    let count = all.len();
    let distinct = merged(all);
    assert_eq!((count, distinct.len()), (236, 236));
    let most: Vec<usize> = (distinct.par_iter())
        .map(|at| equal_classes(&one_of_each_class(), at)[0].len())
        .collect();
    // The contracts with one exact multiplier and one rounding are mostly the same.
    assert!(most.iter().all(|&most| most > 1), "{most:?}");
}
