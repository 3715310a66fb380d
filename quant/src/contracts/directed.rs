//! Inputs chosen to tell contracts apart: random ones hardly ever do.
//!
//! [`steps`] are those of any channel; [`committed`] a few that identify every class.

mod random;
mod search;
mod set;

use std::ops::RangeInclusive;

use super::{Channel, Contract, ContractError, Requantize, one_of_each_class};

pub use random::{Separated, random_outputs};
pub use search::search;

/// One output of a set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Case {
    /// Its scales.
    pub channel: Channel,
    /// What is requantized.
    pub accumulator: i32,
}

/// Input scale of the committed set: three times a power of two, so that products of scales
/// round and ties are exact all the same.
pub const INPUT_SCALE: f64 = 0.046_875;

/// Output scale of the committed set: no float32, and its reciprocals, in whatever order they are
/// rounded, differ.
pub const OUTPUT_SCALE: f64 = 0.052_212_439_5;

/// The committed set: one output for each channel, no zero point, so that every contract has
/// numbers for it.
pub fn committed() -> Vec<Case> {
    set::SET
        .map(|(weight_scale, accumulator)| case(weight_scale, accumulator))
        .to_vec()
}

fn case(weight_scale: f64, accumulator: i32) -> Case {
    Case {
        channel: Channel::int8(INPUT_SCALE, weight_scale, OUTPUT_SCALE, 0),
        accumulator,
    }
}

/// What each contract makes of each case: contracts × cases.
///
/// # Errors
/// A contract that has no numbers for a channel.
pub fn codes(contracts: &[&Contract], cases: &[Case]) -> Result<Vec<Vec<i32>>, ContractError> {
    let of = |contract: &&Contract| {
        (cases.iter())
            .map(|case| {
                Ok(contract
                    .prepare(&case.channel)?
                    .requantize(case.accumulator))
            })
            .collect()
    };
    contracts.iter().map(of).collect()
}

/// Both sides of every step within `range`, of a contract whose codes never fall as accumulators
/// rise. Whatever else never falls and gives its codes there, gives them on all of `range`: it
/// is the same at both ends of every flat piece.
pub fn steps(contract: &dyn Requantize, range: &RangeInclusive<i32>) -> Vec<i32> {
    let (low, high) = (*range.start(), *range.end());
    let mut found = vec![low];
    // Pieces still to be looked into, with the codes at their ends, the leftmost on top.
    let mut pieces = vec![(
        low,
        high,
        contract.requantize(low),
        contract.requantize(high),
    )];
    while let Some((low, high, below, above)) = pieces.pop() {
        if below == above {
            continue;
        }
        // Of two int32, so within int64; and between them.
        let middle = ((i64::from(low) + i64::from(high)).div_euclid(2)) as i32;
        if middle == low {
            found.extend([low, high]);
            continue;
        }
        let code = contract.requantize(middle);
        pieces.push((middle, high, code, above));
        pieces.push((low, middle, below, code));
    }
    found.push(high);
    found.dedup();
    found
}

/// [`steps`] of every class that has numbers for the channel, together.
pub fn all_steps(channel: &Channel, range: &RangeInclusive<i32>) -> Vec<i32> {
    let mut all: Vec<i32> = (one_of_each_class().iter())
        .filter_map(|contract| contract.prepare(channel).ok())
        .flat_map(|contract| steps(contract.as_ref(), range))
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Floor(i32);

    impl Requantize for Floor {
        fn requantize(&self, acc: i32) -> i32 {
            acc.div_euclid(self.0)
        }
    }

    #[test]
    fn both_sides_of_each_step_and_both_ends() {
        assert_eq!(
            steps(&Floor(10), &(-12..=21)),
            [-12, -11, -10, -1, 0, 9, 10, 19, 20, 21]
        );
        assert_eq!(steps(&Floor(10), &(3..=7)), [3, 7]);
        assert_eq!(steps(&Floor(10), &(3..=3)), [3]);
        // The ends of int32, and one accumulator a code.
        let ends = steps(&Floor(1 << 30), &(i32::MIN..=i32::MAX));
        let step = 1 << 30;
        assert_eq!(
            ends,
            [i32::MIN, -step - 1, -step, -1, 0, step - 1, step, i32::MAX]
        );
        assert_eq!(steps(&Floor(1), &(-2..=2)), [-2, -1, 0, 1, 2]);
    }

    #[test]
    fn the_committed_scales_are_what_their_docs_say() {
        let [input, output] = [INPUT_SCALE, OUTPUT_SCALE].map(|scale| scale as f32);
        assert_eq!((f64::from(input), input * 64.0), (INPUT_SCALE, 3.0));
        assert_ne!(f64::from(output), OUTPUT_SCALE);
        assert_ne!((1.0 / OUTPUT_SCALE) as f32, 1.0 / output);
        // A weight scale that makes the multiplier a power of two exactly.
        let third = output / 3.0;
        assert_eq!(third * 3.0, output);
    }
}
