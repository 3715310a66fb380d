//! Every accumulator of a range: which contracts are equal on all of it, and where they part.

use std::ops::RangeInclusive;

use super::Requantize;

/// What several contracts make of every accumulator of a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// How many accumulators were compared.
    pub compared: u64,
    /// The group of each contract: the index of the first one that equals it on every
    /// accumulator.
    pub groups: Vec<usize>,
    /// How each differs from the first contract; none where they are equal.
    pub apart: Vec<Option<Parting>>,
}

/// Where a contract parts from the first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parting {
    /// The lowest accumulator at which they differ.
    pub first: i32,
    /// The codes there: of the first contract, and of this one.
    pub codes: [i32; 2],
    /// How many accumulators give other codes.
    pub count: u64,
}

/// The accumulators of `range` for which all of `contracts` define a result; none if there are
/// none.
pub fn common_domain(
    contracts: &[&dyn Requantize],
    range: &RangeInclusive<i32>,
) -> Option<RangeInclusive<i32>> {
    let (mut low, mut high) = (*range.start(), *range.end());
    for domain in contracts.iter().map(|contract| contract.domain()) {
        low = low.max(*domain.start());
        high = high.min(*domain.end());
    }
    (low <= high).then_some(low..=high)
}

/// The groups of [`Certificate`] alone: a contract that has parted from all others is tried no
/// further.
pub fn groups(contracts: &[&dyn Requantize], range: &RangeInclusive<i32>) -> Vec<usize> {
    let mut groups = vec![0; contracts.len()];
    let mut codes = vec![[0; BLOCK]; contracts.len()];
    each_block(range, |accumulators| {
        for (index, (contract, codes)) in contracts.iter().zip(&mut codes).enumerate() {
            let of_its_group = groups.iter().filter(|&&group| group == groups[index]);
            if of_its_group.count() > 1 {
                contract.requantize_all(accumulators, codes);
            }
        }
        let of = |contract: usize| &codes[contract][..accumulators.len()];
        groups = refined(&groups, |a, b| of(a) == of(b));
    });
    groups
}

impl Certificate {
    /// Tries every accumulator of `range`, in order. All of int32 takes a second or a few for
    /// each contract.
    pub fn of(contracts: &[&dyn Requantize], range: &RangeInclusive<i32>) -> Self {
        let mut found = Self {
            compared: 0,
            groups: vec![0; contracts.len()],
            apart: vec![None; contracts.len()],
        };
        let mut codes = vec![[0; BLOCK]; contracts.len()];
        each_block(range, |accumulators| {
            for (contract, codes) in contracts.iter().zip(&mut codes) {
                contract.requantize_all(accumulators, codes);
            }
            found.compared += accumulators.len() as u64;
            let of = |contract: usize| &codes[contract][..accumulators.len()];
            for (contract, apart) in found.apart.iter_mut().enumerate() {
                note(apart, accumulators, [of(0), of(contract)]);
            }
            found.groups = refined(&found.groups, |a, b| of(a) == of(b));
        });
        found
    }

    /// What holds on two ranges together, `other` the higher one, of the same contracts.
    pub fn and(mut self, other: &Self) -> Self {
        self.compared += other.compared;
        for (low, high) in self.apart.iter_mut().zip(&other.apart) {
            *low = match (*low, *high) {
                (Some(low), Some(high)) => Some(Parting {
                    count: low.count + high.count,
                    ..low
                }),
                (low, high) => low.or(high),
            };
        }
        self.groups = refined(&self.groups, |a, b| other.groups[a] == other.groups[b]);
        self
    }
}

/// Adds the accumulators at which two contracts' codes differ.
fn note(apart: &mut Option<Parting>, accumulators: &[i32], [ours, theirs]: [&[i32]; 2]) {
    if ours == theirs {
        return;
    }
    let differ = |at: &usize| ours[*at] != theirs[*at];
    let Some(at) = (0..accumulators.len()).find(differ) else {
        return;
    };
    let count = (at..accumulators.len()).filter(differ).count() as u64;
    let parting = apart.get_or_insert(Parting {
        first: accumulators[at],
        codes: [ours[at], theirs[at]],
        count: 0,
    });
    parting.count += count;
}

/// Splits each group where `equal`, which is an equivalence, says so.
fn refined(groups: &[usize], equal: impl Fn(usize, usize) -> bool) -> Vec<usize> {
    let mut split: Vec<usize> = Vec::with_capacity(groups.len());
    for (contract, &group) in groups.iter().enumerate() {
        // Only the firsts of groups can match: the others equal one of them.
        let first = (0..contract).find(|&other| {
            split[other] == other && groups[other] == group && equal(other, contract)
        });
        split.push(first.unwrap_or(contract));
    }
    split
}

/// How many accumulators are requantized at once.
const BLOCK: usize = 1 << 10;

/// The accumulators of a range in order, at most [`BLOCK`] at once.
fn each_block(range: &RangeInclusive<i32>, mut f: impl FnMut(&[i32])) {
    let mut accumulators = [0; BLOCK];
    // int64, since the last accumulator may be the last int32.
    let (low, high) = (i64::from(*range.start()), i64::from(*range.end()));
    for start in (low..=high).step_by(BLOCK) {
        let mut count = 0;
        for (acc, value) in accumulators.iter_mut().zip(start..=high) {
            // Within the range, so within int32.
            *acc = value as i32;
            count += 1;
        }
        f(&accumulators[..count]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// `acc >> bits`, and another code at some accumulators.
    #[derive(Debug)]
    struct Shift {
        bits: u32,
        except: Vec<i32>,
        domain: RangeInclusive<i32>,
    }

    impl Requantize for Shift {
        fn requantize(&self, acc: i32) -> i32 {
            (acc >> self.bits) + i32::from(self.except.contains(&acc))
        }

        fn domain(&self) -> RangeInclusive<i32> {
            self.domain.clone()
        }
    }

    fn shift(except: &[i32]) -> Shift {
        Shift {
            bits: 20,
            except: except.to_vec(),
            domain: i32::MIN..=i32::MAX,
        }
    }

    #[rstest]
    #[case::both_ends(-10_000..=10_000, &[-10_000, 10_000], 2)]
    #[case::across_blocks(0..=20_000, &[4095, 4096, 8192], 3)]
    #[case::outside(-5..=5, &[-6, 6], 0)]
    #[case::one(7..=7, &[7], 1)]
    #[case::the_last(i32::MAX - 1..=i32::MAX, &[i32::MAX], 1)]
    #[case::the_lowest(i32::MIN..=i32::MIN + 1, &[i32::MIN], 1)]
    fn every_accumulator_of_the_range_is_compared(
        #[case] range: RangeInclusive<i32>,
        #[case] except: &[i32],
        #[case] count: u64,
    ) {
        let found = Certificate::of(&[&shift(&[]), &shift(except)], &range);
        let width = i64::from(*range.end()) - i64::from(*range.start()) + 1;
        assert_eq!(found.compared, width as u64);
        assert_eq!(found.groups, [0, usize::from(count > 0)]);
        assert_eq!(groups(&[&shift(&[]), &shift(except)], &range), found.groups);
        assert_eq!(found.apart[0], None);
        let expected = (count > 0).then(|| Parting {
            first: except[0],
            codes: [except[0] >> 20, (except[0] >> 20) + 1],
            count,
        });
        assert_eq!(found.apart[1], expected);
    }

    /// 1 and 2 part from 0 at once, and from each other in a later block.
    #[test]
    fn groups_are_split_and_never_joined_again() {
        let all: Vec<Shift> = [&[][..], &[5], &[5, 9000], &[], &[5], &[9000]]
            .map(shift)
            .into_iter()
            .collect();
        let all: Vec<&dyn Requantize> = all.iter().map(|s| s as &dyn Requantize).collect();
        let whole = Certificate::of(&all, &(0..=10_000));
        assert_eq!(whole.groups, [0, 1, 2, 0, 1, 5]);
        assert_eq!(groups(&all, &(0..=10_000)), whole.groups);
        // The parts say the same as the whole.
        let [low, high] = [0..=8999, 9000..=10_000].map(|range| Certificate::of(&all, &range));
        assert_eq!(low.groups, [0, 1, 1, 0, 1, 0]);
        assert_eq!(high.groups, [0, 0, 2, 0, 0, 2]);
        assert_eq!(low.and(&high), whole);
        let empty = Certificate::of(&all, &RangeInclusive::new(1, 0));
        assert_eq!((empty.compared, empty.groups), (0, vec![0; 6]));
    }

    #[test]
    fn only_what_all_define_is_compared() {
        let narrow = |domain| Shift {
            domain,
            ..shift(&[])
        };
        let [a, b] = [narrow(-100..=50), narrow(-70..=90)];
        assert_eq!(common_domain(&[&a, &b], &(-1000..=1000)), Some(-70..=50));
        assert_eq!(common_domain(&[&a, &b], &(0..=7)), Some(0..=7));
        assert_eq!(common_domain(&[&a, &b], &(50..=60)), Some(50..=50));
        assert_eq!(common_domain(&[&a, &b], &(51..=60)), None);
        assert_eq!(common_domain(&[], &(1..=2)), Some(1..=2));
    }
}
