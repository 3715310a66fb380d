//! The bound of eq. 18 to 21 is sound: no code of any random layer or network, on any
//! input, lies further from the real output; and it is tight: an adversary comes near it,
//! and the committed networks use a good part of it.

use std::collections::BTreeMap;

use fixtures::{Fixtures, ImageSet, NETWORKS, NetworkFixture};
use proptest::prelude::*;
use quant::bounds::int8::{a_posteriori, a_priori};
use quant::calibrator::calibrate;
use quant::prove::{Attack, Finding, Random, attack, layer, network, random_network};
use quant::{QuantNetwork, Rounding};
use reference::Tensor;
use rstest::rstest;

/// No finding is a violation, and each of these was in at least one case in a hundred.
fn sound(findings: impl Iterator<Item = Option<Finding>>, must_cover: &[&str]) {
    let mut covered: BTreeMap<&str, usize> = BTreeMap::new();
    let mut cases = 0;
    for (seed, finding) in findings.enumerate() {
        let Some(finding) = finding else { continue };
        assert!(!finding.is_violation(), "seed {seed}: {}", finding.share);
        cases += 1;
        for part in finding.covered {
            *covered.entry(part).or_default() += 1;
        }
    }
    println!("{cases} cases: {covered:?}");
    for part in must_cover {
        let times = covered.get(part).copied().unwrap_or(0);
        assert!(times * 100 > cases, "{part}: in {times} of {cases} cases");
    }
}

#[test]
fn no_single_layer_of_any_scheme_leaves_its_bound() {
    let parts = [
        "convolution",
        "linear",
        "bias",
        "per channel",
        "per tensor",
        "zero points",
        "symmetric",
        "clamped input",
        "clamped weight",
        "clamped output",
        "tie",
        "accumulator rounded to float32",
        "ties to even",
        "ties away from zero",
        "half up",
        "floor",
        "toward zero",
    ];
    sound((0..10_000).map(layer), &parts);
}

#[test]
fn no_network_leaves_its_bound() {
    let parts = [
        "convolution",
        "linear",
        "relu",
        "max-pool",
        "average-pool",
        "flatten",
    ];
    let roundings = (0..1_000).map(|seed| Rounding::ALL[seed % 5]);
    let networks = roundings.zip(0u64..);
    sound(
        networks.map(|(rounding, seed)| network(seed, 1 + seed as usize % 8, rounding)),
        &parts,
    );
}

#[rstest]
#[case(Attack::Linear, 0.9)]
#[case(Attack::Convolution, 0.9)]
#[case(Attack::TwoLayers, 0.5)]
fn an_adversary_comes_near_the_bound(#[case] on: Attack, #[case] at_least: f64) {
    let shares: Vec<f64> = (0..8).map(|seed| attack(on, seed).unwrap()).collect();
    println!("{shares:?}");
    for share in shares {
        assert!((at_least..=1.0).contains(&share), "{share}");
    }
}

fn rounding() -> impl Strategy<Value = Rounding> {
    prop::sample::select(Rounding::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// On the calibration inputs themselves every activation is in its range.
    #[test]
    fn no_calibrated_input_leaves_the_a_priori_bound(seed: u64, depth in 1usize..5, rounding in rounding()) {
        let mut random = Random::new(seed);
        let network = random_network(&mut random, depth).unwrap();
        let shape = [&[3], &network.input().shape[..]].concat();
        let images = Tensor::new(&shape, random.values(shape.iter().product(), 1.0)).unwrap();
        let Ok(ranges) = calibrate(&network, &images) else { return Ok(()) };
        let Ok(quant) = QuantNetwork::quantize(&network, &ranges, rounding) else { return Ok(()) };
        let before = a_priori(&network, &quant, &ranges).unwrap();
        let after = a_posteriori(&network, &quant, &images).unwrap();
        let trace = quant.trace(&images).unwrap();
        let weighted = quant.network().layers().iter().zip(after.iter().zip(&trace.layers));
        let weighted = weighted.filter(|(layer, _)| layer.weights().is_some());
        let mut layers = 0;
        for ((_, (after, traced)), before) in weighted.zip(&before) {
            prop_assert!(after.largest_error(&traced.codes) <= *before);
            layers += 1;
        }
        prop_assert_eq!([before.len(), layers], [ranges.outputs.len(); 2]);
    }
}

#[test]
fn most_random_cases_can_be_quantized() {
    let networks = (0..200).filter_map(|seed| network(seed, 3, Rounding::TiesToEven));
    let layers = (0..200).filter_map(layer);
    let (networks, layers) = (networks.count(), layers.count());
    assert!(
        networks > 150 && layers > 190,
        "{networks} and {layers} of 200"
    );
}

#[test]
fn the_committed_networks_keep_to_it_and_use_it() {
    let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
    for name in NETWORKS {
        let fixture = NetworkFixture::load(&fixtures, name).unwrap();
        let images = ImageSet::load(&fixtures, &fixture.data).unwrap();
        let input = fixture.network.input().normalize(&images.pixels.head(16));
        let quant = &fixture.int8.network;
        let bounds = a_posteriori(&fixture.network, quant, &input).unwrap();
        let trace = quant.trace(&input).unwrap();
        for (layer, bound) in trace.layers.iter().zip(&bounds) {
            let (share, at) = bound.used(&layer.codes);
            assert!(share <= 1.0, "{name}, {}: {share} at {at}", layer.name);
            println!(
                "{name} {} {share:.4} error {:.3e}",
                layer.name,
                bound.largest_error(&layer.codes)
            );
        }
        let (share, _) = bounds[0].used(&trace.layers[0].codes);
        assert!(share > 0.1 || name == "mlp-mnist", "{name}: {share}");
    }
}
