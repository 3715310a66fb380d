//! Contracts of a class are equal, those of different classes differ somewhere.

use std::collections::{BTreeMap, BTreeSet};

use quant::contracts::{ALL, Channel, Class, Evidence, Prepared, SYMBOLS};

/// A fixed stream of numbers in [0, 1).
struct Stream(u64);

impl Stream {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Random scales with multipliers from 2^-26 to 1, and powers of two.
fn channels() -> Vec<Channel> {
    let mut stream = Stream(7);
    let mut channels = Vec::new();
    for i in 0..120 {
        let zero_point = [0, 0, 3, -128, 8][i % 5];
        let weight = 0.001 + stream.next() / 10.0;
        let output = 0.001 + stream.next();
        let multiplier = 2f64.powf(-26.0 * stream.next());
        let input = multiplier * output / weight;
        channels.push(Channel::int8(input, weight, output, zero_point));
    }
    channels.extend((1..12).map(|k| Channel::of_multiplier(2f64.powi(-k), k % 3)));
    channels
}

/// Beside every .5 of the code range and a little beyond, and at the ends of int32.
fn accumulators(channel: &Channel) -> Vec<i32> {
    let ends = [
        i32::MIN,
        i32::MIN + 1,
        -1 << 30,
        -1 << 26,
        0,
        1 << 26,
        1 << 30,
        i32::MAX,
    ];
    let mut all = ends.to_vec();
    for n in -300..300 {
        let tie = ((f64::from(n) + 0.5) / channel.multiplier()).round() as i32;
        all.extend((-2..=2).map(|step| tie.saturating_add(step)));
    }
    all
}

#[test]
fn classes_are_equal_within_and_differ_between() {
    let mut separated: BTreeSet<(Class, Class)> = BTreeSet::new();
    let mut compared: BTreeMap<Class, usize> = BTreeMap::new();
    for channel in channels() {
        let all = accumulators(&channel);
        let prepared: Vec<(Class, &str, Prepared, Vec<i32>)> = (ALL.iter())
            .filter_map(|contract| {
                let prepared = contract.prepare(&channel).ok()?;
                let mut codes = vec![0; all.len()];
                prepared.requantize_all(&all, &mut codes);
                Some((contract.class, contract.name, prepared, codes))
            })
            .collect();
        for (i, (class, name, a, codes)) in prepared.iter().enumerate() {
            for (other, other_name, b, other_codes) in &prepared[..i] {
                let same = class == other;
                let pair = (*class.min(other), *class.max(other));
                if !same && (codes == other_codes || separated.contains(&pair)) {
                    continue;
                }
                let domains = [a.domain(), b.domain()];
                let unequal = (all.iter().enumerate())
                    .filter(|(_, acc)| domains.iter().all(|domain| domain.contains(acc)))
                    .find(|(at, _)| codes[*at] != other_codes[*at]);
                if same {
                    assert_eq!(unequal, None, "{name}, {other_name}: {channel:?}");
                    *compared.entry(*class).or_default() += all.len();
                } else if unequal.is_some() {
                    separated.insert(pair);
                }
            }
        }
    }
    let classes: BTreeSet<Class> = ALL.iter().map(|contract| contract.class).collect();
    for a in &classes {
        let members = ALL.iter().filter(|contract| contract.class == *a).count();
        assert_eq!(a.equal_because.is_empty(), members == 1, "{a:?}");
        assert!(members == 1 || compared[a] > 10_000, "{a:?}: {compared:?}");
        for b in classes.range(*a..).skip(1) {
            assert!(separated.contains(&(*a, *b)), "{} = {}", a.name, b.name);
        }
    }
    assert_eq!(classes.len(), 24);
    let side_by_side = quant::contracts::classes();
    assert_eq!(side_by_side.len(), 24);
    assert_eq!(side_by_side.concat().len(), ALL.len());
}

#[test]
fn every_name_stands_once_and_is_explained() {
    let names: BTreeSet<&str> = ALL.iter().map(|contract| contract.name).collect();
    assert_eq!(names.len(), ALL.len());
    for contract in ALL {
        for text in [contract.formula, contract.latex, contract.source] {
            assert!(!text.is_empty(), "{contract:?}");
        }
        // Only what is nobody's release has none.
        let idealized = contract.evidence == Evidence::Model;
        assert!(!contract.version.is_empty() || idealized, "{contract:?}");
    }
}

/// How deep braces nest at most; none if they do not close, or close before they open.
fn depth(latex: &str) -> Option<usize> {
    let (mut open, mut most) = (0usize, 0);
    let mut escaped = false;
    for symbol in latex.chars() {
        match symbol {
            _ if escaped => {}
            '{' => open += 1,
            '}' => open = open.checked_sub(1)?,
            _ => {}
        }
        most = most.max(open);
        escaped = symbol == '\\' && !escaped;
    }
    (open == 0).then_some(most)
}

#[test]
fn latex_is_well_formed() {
    for latex in (ALL.iter().map(|contract| contract.latex)).chain(SYMBOLS.iter().map(|s| s.0)) {
        assert!(depth(latex).is_some(), "{latex}");
        for [open, close] in [[r"\lfloor", r"\rfloor"], [r"\begin{", r"\end{"], ["(", ")"]] {
            let counts = [open, close].map(|word| latex.matches(word).count());
            assert_eq!(counts[0], counts[1], "{open} {close}: {latex}");
        }
        assert!(latex.is_ascii(), "{latex}");
    }
    for contract in ALL {
        assert!(depth(contract.latex) > Some(0), "{contract:?}");
        assert!(contract.latex.contains("c &= "), "{contract:?}");
    }
    assert_eq!(depth(r"\{"), Some(0));
    assert_eq!(depth("}{"), None);
    assert_eq!(depth("{"), None);
}

#[test]
fn latex_differs_between_classes_and_names_no_zero_point_where_there_is_none() {
    for (i, a) in ALL.iter().enumerate() {
        for b in &ALL[..i] {
            assert!(a.class == b.class || a.latex != b.latex, "{a:?}, {b:?}");
        }
        let of_zero = a.prepare(&Channel::of_multiplier(0.01, 0));
        let of_one = a.prepare(&Channel::of_multiplier(0.01, 1));
        assert!(of_zero.is_ok(), "{a:?}");
        let symbol = (a.latex.split(|c: char| !c.is_ascii_alphabetic())).any(|word| word == "z");
        assert_eq!(symbol, of_one.is_ok(), "{a:?}");
        // An idealized bias, or a real one, is the only b.
        let biased = Channel {
            bias: Some(0.5),
            ..Channel::of_multiplier(0.01, 0)
        };
        let symbol = (a.latex.split(|c: char| !c.is_ascii_alphabetic())).any(|word| word == "b");
        assert_eq!(symbol, a.prepare(&biased).is_ok(), "{a:?}");
    }
}

#[test]
fn many_at_once_are_the_same_as_one_by_one() {
    for channel in channels().iter().step_by(10) {
        let all = accumulators(channel);
        for contract in ALL {
            let Ok(prepared) = contract.prepare(channel) else {
                continue;
            };
            let mut codes = vec![0; all.len()];
            prepared.requantize_all(&all, &mut codes);
            let single: Vec<i32> = all.iter().map(|&acc| prepared.requantize(acc)).collect();
            assert_eq!(codes, single, "{contract:?}");
        }
    }
}
