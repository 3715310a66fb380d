//! The committed set identifies every class; what is monotone and agrees on the steps agrees
//! everywhere.

use quant::contracts::certify::groups;
use quant::contracts::directed::{
    Case, all_steps, codes, committed, random_outputs, search, steps,
};
use quant::contracts::identify::Observation;
use quant::contracts::separate::reach;
use quant::contracts::{ALL, Channel, Contract, find, one_of_each_class};

#[test]
fn every_pair_of_classes_is_separated() {
    let (classes, cases) = (one_of_each_class(), committed());
    assert!(!cases.is_empty() && cases.len() <= 256);
    let made = codes(&classes, &cases).unwrap();
    // The outputs whose codes are all within one of each other, and those that wrap.
    let within_one = |at: &usize| {
        let codes = || made.iter().map(|codes| codes[*at]);
        codes().max().unwrap() - codes().min().unwrap() <= 1
    };
    let near: Vec<usize> = (0..cases.len()).filter(within_one).collect();
    let mut left = Vec::new();
    for b in 0..classes.len() {
        for a in 0..b {
            let differ = |at: &usize| made[a][*at] != made[b][*at];
            assert!(
                (0..cases.len()).any(|at| differ(&at)),
                "{:?}, {:?}",
                classes[a],
                classes[b]
            );
            if !near.iter().any(differ) {
                left.push([classes[a].name, classes[b].name]);
            }
        }
    }
    // So a gate of ±1 on the other outputs tells nothing apart: only these need a wrap.
    assert_eq!(
        left,
        [
            ["nemo", "pulp-nn-quant"],
            ["nemo", "pulp-nn-bn-quant"],
            ["pulp-nn-quant", "pulp-nn-bn-quant"]
        ]
    );
}

/// The observation of a contract's own codes; [1, N], a channel for each output.
fn observed(contract: &Contract, cases: &[Case]) -> Observation {
    let channels = cases.iter().map(|case| case.channel).collect();
    let accumulators = cases.iter().map(|case| case.accumulator).collect();
    let codes = codes(&[contract], cases).unwrap().remove(0);
    Observation::new(channels, 1, accumulators, codes).unwrap()
}

#[test]
fn its_own_codes_name_a_class_alone() {
    let cases = committed();
    for contract in ALL {
        let found = observed(contract, &cases).identify();
        let class: Vec<&Contract> = (ALL.iter())
            .filter(|other| other.class == contract.class)
            .collect();
        assert_eq!(found.exact, class, "{contract:?}");
        assert!(found.inexpressible.is_empty());
    }
}

#[test]
fn the_committed_set_is_what_the_search_finds() {
    // A new contract needs a new set: `cargo xtask directed --search 1`.
    assert_eq!(search(1).unwrap(), committed());
}

#[test]
fn random_outputs_tell_fewer_apart() {
    let classes = one_of_each_class();
    let (found, never) = random_outputs(&classes, 16, 1);
    let outputs: Vec<u64> = found.iter().map(|separated| separated.outputs).collect();
    assert_eq!(outputs, [256, 1024, 4096, 16_384, 65_536]);
    let pairs: Vec<usize> = found.iter().map(|separated| separated.pairs).collect();
    assert!(pairs.is_sorted() && pairs[0] > 100, "{pairs:?}");
    assert_eq!(pairs[4] + never.len(), 276);
    assert!(never.len() > 20, "{never:?}");
    // Generic scales have no ties: what differs there alone stays together.
    let pair = ["cmsis-nn-single-rounding", "litert-reference-fc"].map(|name| find(name).unwrap());
    assert!(never.contains(&pair));
}

/// The steps are where the codes change, whatever a search of all accumulators says.
#[test]
fn steps_are_found_all() {
    for multiplier in [0.25, 0.013, 0.0031] {
        let channel = Channel::of_multiplier(multiplier, 0);
        let range = reach(&channel);
        for contract in ALL {
            let prepared = contract.prepare(&channel).unwrap();
            let mut expected = vec![*range.start()];
            for low in range.clone().take(range.clone().count() - 1) {
                if prepared.requantize(low) != prepared.requantize(low + 1) {
                    expected.extend([low, low + 1]);
                }
            }
            expected.push(*range.end());
            expected.dedup();
            assert_eq!(
                steps(prepared.as_ref(), &range),
                expected,
                "{contract:?}, {multiplier}"
            );
        }
    }
}

/// Two contracts that agree on all steps are equal on the range, and only those.
#[test]
fn the_steps_of_all_contracts_show_what_is_equal() {
    for multiplier in [0.25, 0.046_875, 0.0125, 0.0031] {
        let channel = Channel::of_multiplier(multiplier, 0);
        let range = reach(&channel);
        let prepared: Vec<_> = (ALL.iter())
            .map(|contract| contract.prepare(&channel).unwrap())
            .collect();
        let prepared: Vec<_> = prepared.iter().map(AsRef::as_ref).collect();
        let whole = groups(&prepared, &range);
        let steps = all_steps(&channel, &range);
        assert!(steps.len() * 20 < range.clone().count() || multiplier > 0.01);
        let made: Vec<Vec<i32>> = (prepared.iter())
            .map(|contract| steps.iter().map(|&acc| contract.requantize(acc)).collect())
            .collect();
        for b in 0..made.len() {
            for a in 0..b {
                assert_eq!(
                    made[a] == made[b],
                    whole[a] == whole[b],
                    "{:?}, {:?}",
                    ALL[a],
                    ALL[b]
                );
            }
        }
    }
}
