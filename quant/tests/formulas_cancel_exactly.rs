//! Leave the rounding out, and every formula equals the float equation: in symbols, and in
//! exact rational arithmetic over random networks with random float32 scales.

use std::collections::BTreeMap;

use crate::common::Exact;
use fixtures::{Fixtures, NetworkFixture};
use num_traits::ToPrimitive;
use proptest::prelude::*;
use quant::calibrator::Ranges;
use quant::formulas::conventions::Convention;
use quant::prove::Random;
use quant::symbolic::derive::{LayerPlan, NetworkNumbers, Plan, Section, Step, derive};
use quant::symbolic::evaluate::evaluate;
use quant::symbolic::expression::Node;
use quant::symbolic::render::latex;
use quant::symbolic::{Verdict, check};
use rstest::rstest;

/// A line with a range rule: true of scales that were made from the data.
fn is_rule(step: &Step) -> bool {
    let mut rule = false;
    for side in [&step.equation.left, &step.equation.right] {
        side.walk(&mut |part| rule |= matches!(part.node, Node::Extreme(..)));
    }
    rule
}

fn steps(sections: &[Section]) -> Vec<&Step> {
    sections.iter().flat_map(|section| &section.steps).collect()
}

#[rstest]
fn every_line_of_a_derivation_cancels(
    #[values(Convention::Relative, Convention::Multiply, Convention::Absolute)]
    convention: Convention,
    #[values(false, true)] zero_points: bool,
    #[values(1, 2, 3, 9)] layers: u32,
    #[values(false, true)] bias: bool,
) {
    let mut plan = Plan::general(layers, convention, zero_points);
    plan.layers.iter_mut().for_each(|layer| layer.bias = bias);
    let sections = derive(&plan).unwrap();
    assert_eq!(sections.len(), layers as usize + 1);
    for step in steps(&sections) {
        let verdict = check(&step.formula, &[], Some(convention))
            .unwrap_or_else(|error| panic!("{}", error.show(&step.formula)));
        let Verdict::Right(right) = &verdict else {
            panic!("{}: {verdict:?}", step.formula)
        };
        assert_eq!(right.conventions, [convention], "{}", step.formula);
        // The same in the other notation.
        let latex = latex(&step.equation);
        let again = check(&latex, &[], Some(convention))
            .unwrap_or_else(|error| panic!("{}", error.show(&latex)));
        assert_eq!(again, verdict, "{latex}");
    }
    for quantity in sections.iter().flat_map(|section| &section.numbers) {
        let verdict = check(&quantity.formula, &[], Some(convention)).unwrap();
        assert!(matches!(verdict, Verdict::Right(_)), "{}", quantity.formula);
    }
}

/// The derivation of this very network: its layers, biases and what follows them.
fn plan_of(network: &Exact, zero_points: bool) -> Plan {
    Plan {
        convention: network.scales.convention,
        layers: (network.layers.iter())
            .map(|layer| LayerPlan {
                name: None,
                bias: layer.bias.is_some(),
                after: [layer.relu.then_some("relu"), layer.pool.map(|_| "pool")]
                    .into_iter()
                    .flatten()
                    .collect(),
            })
            .collect(),
        zero_points,
        any_depth: false,
    }
}

fn holds(network: &Exact, step: &Step) -> bool {
    let letters = BTreeMap::new();
    let [left, right] = [&step.equation.left, &step.equation.right].map(|side| {
        evaluate(side, network, &letters).unwrap_or_else(|e| panic!("{}", e.show(&step.formula)))
    });
    left == right
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// Both sides of every line are the same rationals, entry by entry, to depth 10.
    #[test]
    fn both_sides_of_every_line_are_equal_in_rationals(
        seed: u64, depth in 1usize..11, zero_points: bool,
        convention in prop::sample::select(Convention::ALL.to_vec()),
    ) {
        let mut random = Random::new(seed);
        let mut network = Exact::random(&mut random, depth);
        let calibrated = random.below(2) == 0 && network.calibrate();
        network.to(convention);
        if zero_points {
            network.shift(&mut random);
        }
        let sections = derive(&plan_of(&network, zero_points)).unwrap();
        let mut equal = 0;
        for step in steps(&sections) {
            if (calibrated && !zero_points) || !is_rule(step) {
                prop_assert!(holds(&network, step), "{}", step.formula);
                equal += 1;
            }
        }
        prop_assert!(equal >= 8 * depth, "{equal} lines of {depth} layers");
    }
}

/// The scale rule, formed exactly from the committed ranges, is the scale that PyTorch
/// computed, to the last bit of its float32.
#[rstest]
fn the_rules_give_the_committed_scales(
    #[values("lab", "lab-bias", "lenet5-cifar10", "lenet5-mnist", "mlp-mnist")] name: &str,
) {
    let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
    let fixture = NetworkFixture::load(&fixtures, name).unwrap();
    let ranges = Ranges {
        input: fixture.int8.input_range,
        outputs: fixture.int8.output_ranges.clone(),
    };
    let quant = &fixture.int8.network;
    let numbers = NetworkNumbers::new(&fixture.network, quant, &ranges, Convention::Relative);
    let layers = ranges.outputs.len();
    let plan = Plan::general(layers as u32, Convention::Relative, false);
    let mut rules = 0;
    for quantity in derive(&plan)
        .unwrap()
        .iter()
        .flat_map(|section| &section.numbers)
    {
        if quantity.named {
            let [stored, rule] = [&quantity.equation.left, &quantity.equation.right]
                .map(|side| numbers.exactly(side).unwrap().to_f64().unwrap() as f32);
            assert_eq!(stored, rule, "{name}: {}", quantity.formula);
            rules += 1;
        }
    }
    assert_eq!(
        rules,
        1 + 2 * layers,
        "input, and weights and output of each layer"
    );
}
