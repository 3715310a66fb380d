//! Break it to see it fail: each break is caught, and the network and layer are named.

use std::sync::OnceLock;

use fixtures::NETWORKS;
use kernels::Kernels;
use quant::{QuantNetwork, QuantWeights, Rounding, Scale};
use reference::{Layer, Network, Op};
use verify::{Claim, Outcome, Row, Subject, claims};

/// Rebuilds the integer network with changed layers.
fn rebuilt(
    subject: &Subject,
    rounding: Rounding,
    change: impl FnOnce(&mut Vec<Layer<QuantWeights>>),
) -> Subject {
    let network = subject.integer.network();
    let mut layers = network.layers().to_vec();
    change(&mut layers);
    let network = Network::new(network.name(), network.input().clone(), layers).unwrap();
    Subject {
        integer: QuantNetwork::new(network, subject.integer.input_scale(), rounding).unwrap(),
        ..subject.clone()
    }
}

fn weights_of<'a>(layers: &'a mut [Layer<QuantWeights>], name: &str) -> &'a mut QuantWeights {
    let layer = layers.iter_mut().find(|layer| layer.name == name).unwrap();
    layer.weights_mut().unwrap()
}

fn next(scale: Scale) -> Scale {
    Scale::new(f64::from(scale.get().next_up())).unwrap()
}

/// Runs the breaks of one network: each must fail first at `layer`, in the parameters
/// where `parameter` says so and in the integers that were computed where it shows.
struct Breaks {
    name: &'static str,
    fixture: fixtures::NetworkFixture,
    images: fixtures::ImageSet,
    subject: Subject,
}

impl Breaks {
    /// Of a network, which by itself, unbroken, fails nowhere: made once.
    fn of(name: &'static str) -> &'static Self {
        static BREAKS: [OnceLock<Breaks>; NETWORKS.len()] = [const { OnceLock::new() }; _];
        let at = NETWORKS.iter().position(|&network| network == name);
        BREAKS[at.unwrap()].get_or_init(|| Self::new(name))
    }

    fn new(name: &'static str) -> Self {
        let (fixture, images, subject) = crate::common::load_traced(name);
        let breaks = Self {
            name,
            fixture,
            images,
            subject,
        };
        let mut rows = breaks.parameters(&breaks.subject);
        rows.extend(breaks.integers(&breaks.subject, &crate::common::kernel_sets()));
        assert_eq!(crate::common::first_failure(&rows), None, "{name} unbroken");
        breaks
    }

    fn parameters(&self, subject: &Subject) -> Vec<Row> {
        claims::check_parameters(&self.fixture, &self.images, subject)
    }

    fn integers(&self, subject: &Subject, sets: &[Kernels]) -> Vec<Row> {
        claims::check_integer(&self.fixture, &self.images, subject, sets).unwrap()
    }

    /// The first failing parameter.
    fn parameter(&self, subject: &Subject) -> Option<(String, Claim, Outcome)> {
        self.first_failure(self.parameters(subject))
    }

    /// The first failing integer of those that the interpreter computes, which is before any
    /// kernel's.
    fn integer(&self, subject: &Subject) -> Option<(String, Claim, Outcome)> {
        let mut rows = self.integers(subject, &[]);
        rows.retain(|row| matches!(row.claim, Claim::Accumulators | Claim::Codes));
        self.first_failure(rows)
    }

    fn first_failure(&self, rows: Vec<Row>) -> Option<(String, Claim, Outcome)> {
        assert!(!rows.is_empty() && rows.iter().all(|row| row.network == self.name));
        crate::common::first_failure(&rows)
    }

    /// A weight of the first output channel that some traced image meets with a code
    /// other than 0 (after ReLU many are 0).
    fn live_weight(&self, layer: &str) -> usize {
        live_weight(&self.fixture, &self.images, &self.subject, layer)
    }

    fn weighted(&self) -> Vec<String> {
        self.fixture
            .network
            .weighted()
            .map(|(name, _)| name.to_owned())
            .collect()
    }
}

fn live_weight(
    fixture: &fixtures::NetworkFixture,
    images: &fixtures::ImageSet,
    subject: &Subject,
    layer: &str,
) -> usize {
    let input = fixture.network.input().normalize(&images.pixels);
    let trace = subject.integer.trace(&input).unwrap();
    let place = trace
        .layers
        .iter()
        .position(|traced| traced.name == layer)
        .unwrap();
    let Some(before) = place.checked_sub(1) else {
        return 0;
    };
    let codes = &trace.layers[before].codes;
    match codes.shape() {
        [images, features] => {
            let alive = |feature: &usize| (0..*images).any(|n| codes[[n, *feature]] != 0);
            (0..*features).find(alive).unwrap()
        }
        // A convolution slides each weight over the whole image.
        _ => 0,
    }
}

/// The layer and claim of a failure.
fn place(failure: &Option<(String, Claim, Outcome)>) -> Option<(&str, Claim)> {
    failure
        .as_ref()
        .map(|(layer, claim, _)| (layer.as_str(), *claim))
}

#[test]
fn one_weight_code_off_by_one() {
    for name in NETWORKS {
        let breaks = Breaks::of(name);
        for layer in breaks.weighted() {
            let broken = rebuilt(&breaks.subject, Rounding::TiesToEven, |layers| {
                let weight = &mut weights_of(layers, &layer).weight;
                let code = &mut weight.data_mut()[breaks.live_weight(&layer)];
                *code = if *code == 127 { 126 } else { *code + 1 };
            });
            let (parameter, integer) = (breaks.parameter(&broken), breaks.integer(&broken));
            assert_eq!(
                place(&parameter),
                Some((layer.as_str(), Claim::WeightCodes)),
                "{name}"
            );
            assert_eq!(
                place(&integer),
                Some((layer.as_str(), Claim::Accumulators)),
                "{name}"
            );
        }
    }
}

#[test]
fn one_bias_off_by_one() {
    let mut broken_biases = 0;
    for name in NETWORKS {
        let breaks = Breaks::of(name);
        for layer in breaks.weighted() {
            if breaks
                .fixture
                .network
                .weighted()
                .any(|(n, w)| n == layer && w.bias.is_none())
            {
                continue;
            }
            broken_biases += 1;
            let broken = rebuilt(&breaks.subject, Rounding::TiesToEven, |layers| {
                weights_of(layers, &layer).bias.as_mut().unwrap()[0] += 1;
            });
            let (parameter, integer) = (breaks.parameter(&broken), breaks.integer(&broken));
            assert_eq!(
                place(&parameter),
                Some((layer.as_str(), Claim::BiasCodes)),
                "{name}"
            );
            assert_eq!(
                place(&integer),
                Some((layer.as_str(), Claim::Accumulators)),
                "{name}"
            );
        }
    }
    assert_eq!(broken_biases, 1 + 5 + 5 + 3);
}

#[test]
fn one_scale_off_by_one_ulp() {
    for name in NETWORKS {
        let breaks = Breaks::of(name);
        for layer in breaks.weighted() {
            for claim in [Claim::WeightScale, Claim::OutputScale] {
                let broken = rebuilt(&breaks.subject, Rounding::TiesToEven, |layers| {
                    let weights = weights_of(layers, &layer);
                    match claim {
                        Claim::WeightScale => weights.weight_scale = next(weights.weight_scale),
                        _ => weights.output_scale = next(weights.output_scale),
                    }
                });
                let parameter = breaks.parameter(&broken);
                assert_eq!(place(&parameter), Some((layer.as_str(), claim)), "{name}");
            }
        }
        let network = breaks.subject.integer.network().clone();
        let scale = next(breaks.subject.integer.input_scale());
        let broken = Subject {
            integer: QuantNetwork::new(network, scale, Rounding::TiesToEven).unwrap(),
            ..breaks.subject.clone()
        };
        let parameter = breaks.parameter(&broken);
        assert_eq!(
            place(&parameter),
            Some(("input", Claim::InputScale)),
            "{name}"
        );
    }
}

#[test]
fn floor_for_round() {
    for name in NETWORKS {
        let breaks = Breaks::of(name);
        for rounding in [Rounding::Floor, Rounding::TowardZero] {
            let broken = rebuilt(&breaks.subject, rounding, |_| {});
            let integer = breaks.integer(&broken);
            let first = &breaks.weighted()[0];
            assert_eq!(
                place(&integer),
                Some((first.as_str(), Claim::Codes)),
                "{name}"
            );
        }
    }
}

#[test]
fn one_layer_skipped() {
    for name in NETWORKS {
        let breaks = Breaks::of(name);
        let relus = breaks.subject.integer.network().layers().iter();
        let relus: Vec<String> = relus
            .filter(|l| matches!(l.op, Op::Relu))
            .map(|l| l.name.clone())
            .collect();
        assert!(!relus.is_empty());
        for relu in relus {
            let broken = rebuilt(&breaks.subject, Rounding::TiesToEven, |layers| {
                layers.retain(|layer| layer.name != relu);
            });
            let integer = breaks.integer(&broken);
            assert_eq!(
                place(&integer),
                Some((relu.as_str(), Claim::Codes)),
                "{name}"
            );
            assert!(
                matches!(integer, Some((_, _, Outcome::Incomparable { .. }))),
                "{name}"
            );
        }
    }
}

#[test]
fn a_layer_that_does_nothing() {
    for name in NETWORKS {
        let breaks = Breaks::of(name);
        let relus = breaks.subject.integer.network().layers().iter();
        let names: Vec<String> = relus
            .filter(|l| matches!(l.op, Op::Relu))
            .map(|l| l.name.clone())
            .collect();
        for relu in names {
            // Still there, but it lets everything through.
            let broken = rebuilt(&breaks.subject, Rounding::TiesToEven, |layers| {
                let layer = layers.iter_mut().find(|layer| layer.name == relu).unwrap();
                layer.op = Op::MaxPool2d(reference::PoolGeometry {
                    kernel: [1, 1],
                    stride: [1, 1],
                    padding: [0, 0],
                });
                let maps = !relu.ends_with('3') && !relu.ends_with('4') && name != "mlp-mnist";
                if !maps {
                    layer.op = Op::Flatten;
                }
            });
            let integer = breaks.integer(&broken);
            assert_eq!(
                place(&integer),
                Some((relu.as_str(), Claim::Codes)),
                "{name}"
            );
            assert!(
                matches!(integer, Some((_, _, Outcome::Differs { .. }))),
                "{name}"
            );
        }
    }
}

#[test]
fn one_float_weight_a_little_off() {
    for name in NETWORKS {
        let (fixture, images, subject) = crate::common::load_traced(name);
        for (layer, _) in fixture.network.weighted() {
            let mut layers = subject.float.layers().to_vec();
            let weights = layers
                .iter_mut()
                .find(|l| l.name == layer)
                .unwrap()
                .weights_mut()
                .unwrap();
            let largest = weights
                .weight
                .data()
                .iter()
                .fold(0.0f32, |m, w| m.max(w.abs()));
            weights.weight.data_mut()[live_weight(&fixture, &images, &subject, layer)] += largest;
            let float = Network::new(name, subject.float.input().clone(), layers).unwrap();
            let broken = Subject {
                float,
                ..subject.clone()
            };
            let rows = claims::check_float(&fixture, &images, &broken).unwrap();
            let (layer_failed, claim, _) = crate::common::first_failure(&rows).unwrap();
            assert_eq!(layer_failed, layer, "{name}");
            assert!(
                matches!(claim, Claim::Float | Claim::FloatIsolated),
                "{name}"
            );
            // Given PyTorch's input, no other layer is at fault.
            let isolated = rows.iter().filter(|row| row.claim == Claim::FloatIsolated);
            let at_fault: Vec<&str> = isolated
                .filter(|row| !row.outcome.holds())
                .map(|row| row.layer.as_str())
                .collect();
            assert_eq!(at_fault, [layer], "{name}");
        }
    }
}

#[test]
fn one_range_off_by_one_ulp() {
    for name in NETWORKS {
        let breaks = Breaks::of(name);
        for (i, layer) in breaks.weighted().iter().enumerate() {
            let mut broken = breaks.subject.clone();
            broken.ranges.outputs[i] = broken.ranges.outputs[i].next_up();
            let parameter = breaks.parameter(&broken);
            assert_eq!(
                place(&parameter),
                Some((layer.as_str(), Claim::OutputRange)),
                "{name}"
            );
        }
    }
}
