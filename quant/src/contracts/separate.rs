//! The accumulator at which two contracts part, or the certificate that there is none.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::{Channel, Clamp, Contract, ContractError, Prepared};

/// What a search over every accumulator of a range shows for two contracts.
#[derive(Clone, Debug, PartialEq)]
pub struct Separation {
    /// The two.
    pub pair: [&'static Contract; 2],
    /// Where they part; none if they are equal on all of it.
    pub at: Option<Apart>,
}

/// An input that tells two contracts apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Apart {
    /// Which of the channels.
    pub channel: usize,
    /// The accumulator.
    pub accumulator: i32,
    /// What each of the pair makes of it.
    pub codes: [i32; 2],
}

/// The accumulators whose value `acc·m + z`, with a float bias added, lies within two codes of the clamp: beyond them,
/// what does not wrap is clamped.
pub fn reach(channel: &Channel) -> RangeInclusive<i32> {
    let Clamp { low, high } = channel.clamp;
    let at = |code: i32| {
        f64::from(code - channel.output_zero_point) / channel.multiplier() - channel.bias_steps()
    };
    // `as` saturates to int32.
    at(low - 2).floor() as i32..=at(high + 2).ceil() as i32
}

/// For each pair of `contracts` an accumulator that separates them in some channel, where both
/// define a result: within `range`, or by default within [`reach`].
///
/// Accumulators beside a tie are tried first, then every one; so no finding means that the pair
/// is equal on the whole range. The time is that of the range times the contracts, and of all
/// channels only where a pair is equal.
///
/// # Errors
/// A contract that has no numbers for a channel.
pub fn separate(
    contracts: &[&'static Contract],
    channels: &[Channel],
    range: Option<&RangeInclusive<i32>>,
) -> Result<Vec<Separation>, ContractError> {
    let mut search = Search::new(contracts);
    let mut prepared = Vec::with_capacity(channels.len());
    for (index, channel) in channels.iter().enumerate() {
        let requantizers: Vec<Prepared> = (contracts.iter())
            .map(|contract| contract.prepare(channel))
            .collect::<Result<_, _>>()?;
        let range = range.cloned().unwrap_or_else(|| reach(channel));
        search.offer(index, &requantizers, &beside_ties(channel, &range));
        prepared.push((range, requantizers));
    }
    for (index, (range, requantizers)) in prepared.iter().enumerate() {
        let mut chunk = Vec::with_capacity(CHUNK);
        // int64, since the last accumulator may be the last int32.
        let (mut next, last) = (i64::from(*range.start()), i64::from(*range.end()));
        while next <= last && !search.done() {
            let end = last.min(next + CHUNK as i64 - 1);
            chunk.clear();
            // Within the range, so within int32.
            chunk.extend((next..=end).map(|acc| acc as i32));
            search.offer(index, requantizers, &chunk);
            next = end + 1;
        }
    }
    Ok(search.separations)
}

/// An accumulator, and what each of some contracts makes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telling {
    /// Which of the channels.
    pub channel: usize,
    /// The accumulator.
    pub accumulator: i32,
    /// The code of each contract.
    pub codes: Vec<i32>,
}

/// A few of the accumulators in `separations`, of these contracts and channels, that tell as many
/// pairs apart as all of them, the most telling first.
///
/// # Errors
/// A contract that has no numbers for a channel.
pub fn few(
    contracts: &[&'static Contract],
    channels: &[Channel],
    separations: &[Separation],
) -> Result<Vec<Telling>, ContractError> {
    let places: BTreeSet<(usize, i32)> = (separations.iter())
        .filter_map(|separation| separation.at)
        .map(|at| (at.channel, at.accumulator))
        .collect();
    let mut candidates = Vec::with_capacity(places.len());
    for (channel, accumulator) in places {
        let codes = (contracts.iter())
            .map(|contract| {
                Ok(contract
                    .prepare(&channels[channel])?
                    .requantize(accumulator))
            })
            .collect::<Result<_, ContractError>>()?;
        candidates.push(Telling {
            channel,
            accumulator,
            codes,
        });
    }
    let mut left: Vec<[usize; 2]> = Search::new(contracts).pairs;
    let mut chosen = Vec::new();
    let tells = |telling: &Telling, [a, b]: [usize; 2]| telling.codes[a] != telling.codes[b];
    loop {
        let gain = |telling: &Telling| left.iter().filter(|&&pair| tells(telling, pair)).count();
        let Some(at) = (0..candidates.len()).max_by_key(|&at| gain(&candidates[at])) else {
            return Ok(chosen);
        };
        let best = candidates.swap_remove(at);
        if gain(&best) == 0 {
            return Ok(chosen);
        }
        left.retain(|&pair| !tells(&best, pair));
        chosen.push(best);
    }
}

/// How many accumulators are requantized at once.
const CHUNK: usize = 1 << 12;

/// Two on either side of each accumulator that is nearest to a tie.
fn beside_ties(channel: &Channel, range: &RangeInclusive<i32>) -> Vec<i32> {
    let Clamp { low, high } = channel.clamp;
    let zero_point = channel.output_zero_point;
    (low - zero_point - 2..=high - zero_point + 2)
        .map(|n| (f64::from(n) + 0.5) / channel.multiplier() - channel.bias_steps())
        .map(|tie| tie.round() as i32)
        .flat_map(|tie| (-2..=2).map(move |step| tie.saturating_add(step)))
        .filter(|acc| range.contains(acc))
        .collect()
}

struct Search {
    separations: Vec<Separation>,
    /// Indices into the contracts, of each separation.
    pairs: Vec<[usize; 2]>,
}

impl Search {
    fn new(contracts: &[&'static Contract]) -> Self {
        let pairs: Vec<[usize; 2]> = (0..contracts.len())
            .flat_map(|b| (0..b).map(move |a| [a, b]))
            .collect();
        let separations = (pairs.iter())
            .map(|pair| Separation {
                pair: pair.map(|i| contracts[i]),
                at: None,
            })
            .collect();
        Self { separations, pairs }
    }

    fn done(&self) -> bool {
        (self.separations.iter()).all(|separation| separation.at.is_some())
    }

    fn offer(&mut self, channel: usize, requantizers: &[Prepared], accumulators: &[i32]) {
        let mut codes: Vec<Vec<i32>> = vec![Vec::new(); requantizers.len()];
        for (separation, pair) in self.separations.iter_mut().zip(&self.pairs) {
            if separation.at.is_some() {
                continue;
            }
            for &i in pair {
                if codes[i].is_empty() {
                    codes[i] = vec![0; accumulators.len()];
                    requantizers[i].requantize_all(accumulators, &mut codes[i]);
                }
            }
            let [a, b] = pair.map(|i| &codes[i]);
            if a == b {
                continue;
            }
            let domains = pair.map(|i| requantizers[i].domain());
            separation.at = (accumulators.iter().zip(a.iter().zip(b)))
                .find(|(acc, (a, b))| a != b && domains.iter().all(|domain| domain.contains(acc)))
                .map(|(&accumulator, (&a, &b))| Apart {
                    channel,
                    accumulator,
                    codes: [a, b],
                });
        }
    }
}
