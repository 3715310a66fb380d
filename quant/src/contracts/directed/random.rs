//! How far random outputs get.

use super::super::{Channel, Contract, Prepared};
use crate::prove::Random;

/// What some random outputs have shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Separated {
    /// How many outputs.
    pub outputs: u64,
    /// How many pairs of contracts differ in one of them.
    pub pairs: usize,
}

/// How many accumulators of a channel are drawn.
const ACCUMULATORS: usize = 1024;

/// How many pairs of `contracts` differ after 2^8, 2^10, … random outputs, up to 2^`most`;
/// and the pairs that none of them told apart.
///
/// As layers are: multipliers from 2^-11 to 2^-4 and accumulators about 0 whose codes have a
/// deviation of 40; no zero point.
pub fn random_outputs(
    contracts: &[&'static Contract],
    most: u32,
    seed: u64,
) -> (Vec<Separated>, Vec<[&'static Contract; 2]>) {
    let mut random = Random::new(seed);
    let mut left: Vec<[usize; 2]> = (0..contracts.len())
        .flat_map(|b| (0..b).map(move |a| [a, b]))
        .collect();
    let pairs = left.len();
    let mut found = Vec::new();
    let mut codes = vec![vec![0; ACCUMULATORS]; contracts.len()];
    let mut outputs = 0u64;
    for power in (8..=most).step_by(2) {
        while outputs < 1 << power {
            let channel = channel(&mut random);
            let prepared: Vec<Option<Prepared>> = (contracts.iter())
                .map(|contract| contract.prepare(&channel).ok())
                .collect();
            let count = ACCUMULATORS.min(((1u64 << power) - outputs) as usize);
            let accumulators = accumulators(&mut random, &channel, count);
            for (prepared, codes) in prepared.iter().zip(&mut codes) {
                if let Some(prepared) = prepared {
                    prepared.requantize_all(&accumulators, codes);
                }
            }
            left.retain(|&[a, b]| {
                let both = prepared[a].is_some() && prepared[b].is_some();
                !both || codes[a][..count] == codes[b][..count]
            });
            outputs += count as u64;
        }
        found.push(Separated {
            outputs,
            pairs: pairs - left.len(),
        });
    }
    (
        found,
        left.into_iter()
            .map(|pair| pair.map(|i| contracts[i]))
            .collect(),
    )
}

/// Three scales of as many digits as float64 has.
fn channel(random: &mut Random) -> Channel {
    let mut between = |low: f64, high: f64| {
        let share = (f64::from(random.unit()) + 1.0) / 2.0;
        low * (high / low).powf(share)
    };
    let multiplier = between(2f64.powi(-11), 2f64.powi(-4));
    let (weight, output) = (between(0.001, 0.1), between(0.01, 1.0));
    Channel::int8(multiplier * output / weight, weight, output, 0)
}

/// A sum of four uniform numbers has a deviation of 2/√3.
fn accumulators(random: &mut Random, channel: &Channel, count: usize) -> Vec<i32> {
    let scale = 40.0 * 3f64.sqrt() / 2.0 / channel.multiplier();
    (0..count)
        .map(|_| {
            let sum: f64 = (0..4).map(|_| f64::from(random.unit())).sum();
            (sum * scale).round() as i32
        })
        .collect()
}
