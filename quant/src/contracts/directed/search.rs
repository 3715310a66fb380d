//! The search that found the committed set.

use super::super::{Channel, ContractError, Prepared, one_of_each_class};
use super::{Case, INPUT_SCALE, OUTPUT_SCALE};
use crate::prove::Random;

/// How many cases are to tell each pair apart: one alone would hang on a single output.
const AGAIN: usize = 3;

/// Cases that tell every pair of classes apart, three times where that many are found, the
/// most telling first.
///
/// Those whose codes are all within one of each other are taken as long as they tell anything
/// more; what is left is told apart by codes that wrap. Some seconds in a release build.
///
/// # Errors
/// A contract that has no numbers for one of the channels tried.
pub fn search(seed: u64) -> Result<Vec<Case>, ContractError> {
    let mut near = Vec::new();
    let mut far = Vec::new();
    for weight_scale in weight_scales(seed) {
        for (case, codes) in telling(weight_scale)? {
            let spread = codes.iter().max().zip(codes.iter().min());
            match spread.is_some_and(|(high, low)| high - low <= 1) {
                true => near.push((case, codes)),
                false => far.push((case, codes)),
            }
        }
    }
    let classes = one_of_each_class().len();
    let mut needed = vec![vec![AGAIN; classes]; classes];
    let mut chosen = greedy(&near, &mut needed);
    chosen.extend(greedy(&far, &mut needed));
    Ok(chosen)
}

/// Exact powers of two, the same with errors from 2^-6 to 2^-24, and random ones.
fn weight_scales(seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    let mut scales = Vec::new();
    for power in [1, 2, 3, 5, 8] {
        let exact = f64::from(OUTPUT_SCALE as f32) / INPUT_SCALE * 2f64.powi(-power);
        scales.push(exact);
        for error in 6..=24 {
            for factor in [-1.7, -1.25, -1.0, 1.0, 1.25, 1.7] {
                scales.push(short(exact * (1.0 + factor * 2f64.powi(-error))));
            }
        }
    }
    scales.extend((0..1000).map(|_| {
        let multiplier = 2f64.powf(f64::from(random.unit()) * 5.0 - 6.0);
        short(multiplier * OUTPUT_SCALE / INPUT_SCALE)
    }));
    scales
}

/// Nine decimals: a person may type it.
fn short(scale: f64) -> f64 {
    (scale * 1e9).round() / 1e9
}

/// The cases of a channel that tell anything apart, with the code of each class.
fn telling(weight_scale: f64) -> Result<Vec<(Case, Vec<i32>)>, ContractError> {
    let channel = Channel::int8(INPUT_SCALE, weight_scale, OUTPUT_SCALE, 0);
    let prepared: Vec<Prepared> = (one_of_each_class().iter())
        .map(|contract| contract.prepare(&channel))
        .collect::<Result<_, _>>()?;
    let ties = (-131..131).flat_map(|n| {
        let tie = ((f64::from(n) + 0.5) / channel.multiplier()).round() as i32;
        [tie - 1, tie, tie + 1]
    });
    // Where int16 and int32 wrap.
    let large = [15, 16, 24, 26, 28, 30].map(|bits| 1i32 << bits);
    let large = large
        .into_iter()
        .flat_map(|acc| [-acc, acc, acc + acc / 37]);
    Ok(ties
        .chain(large)
        .filter(|acc| {
            prepared
                .iter()
                .all(|contract| contract.domain().contains(acc))
        })
        .map(|accumulator| {
            let codes: Vec<i32> = (prepared.iter())
                .map(|contract| contract.requantize(accumulator))
                .collect();
            (
                Case {
                    channel,
                    accumulator,
                },
                codes,
            )
        })
        .filter(|(_, codes)| codes.iter().any(|&code| code != codes[0]))
        .collect())
}

/// Takes the case that tells most of the needed pairs apart, until none tells any.
fn greedy(candidates: &[(Case, Vec<i32>)], needed: &mut [Vec<usize>]) -> Vec<Case> {
    let mut chosen = Vec::new();
    let mut left: Vec<(usize, &(Case, Vec<i32>))> =
        candidates.iter().map(|candidate| (0, candidate)).collect();
    loop {
        for (gain_now, (_, codes)) in &mut left {
            *gain_now = gain(codes, needed);
        }
        // A gain never grows, so what tells nothing any more is dropped.
        left.retain(|&(gain, _)| gain > 0);
        let Some(at) = (0..left.len()).max_by_key(|&at| left[at].0) else {
            return chosen;
        };
        let (_, (case, codes)) = left.swap_remove(at);
        for (a, b) in pairs(codes) {
            needed[a][b] = needed[a][b].saturating_sub(1);
        }
        chosen.push(*case);
    }
}

fn gain(codes: &[i32], needed: &[Vec<usize>]) -> usize {
    pairs(codes).filter(|&(a, b)| needed[a][b] > 0).count()
}

/// The pairs that these codes tell apart.
fn pairs(codes: &[i32]) -> impl Iterator<Item = (usize, usize)> {
    (0..codes.len()).flat_map(move |b| {
        (0..b)
            .filter(move |&a| codes[a] != codes[b])
            .map(move |a| (a, b))
    })
}
