//! Which check catches which mistake, and the fewest cases that catch them all.
//!
//! Every mistake is made in every node of every network where it changes anything; each check
//! then sees the tensors of the wrong network. A check that compares exactly is one of the
//! cases that [`Trial`] asks; beside them stand the laws that need no golden tensor
//! ([`PROPERTIES`]), the derived bound of the float network, and two that people use: within ±1,
//! and the same classes.

mod bound;
mod cover;
mod properties;

pub use cover::{is_minimal, minimal};
pub use properties::{PROPERTIES, Property};

use std::collections::{BTreeMap, BTreeSet};

use bound::Bounds;
use rayon::prelude::*;
use reference::ShapeError;
use serde::Serialize;

use crate::backend::{NETWORK, Probe, Trial};
use crate::mistakes::{self, Mistake, Site, Variant};
use crate::model::Values;

/// One mistake in one node of one network.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Injection {
    /// The mistake's id.
    pub mistake: &'static str,
    /// Which form of it.
    pub parameters: String,
    /// Network and scheme.
    pub network: String,
    /// The node.
    pub node: String,
    /// The cases that see it, as indices into [`KillMatrix::cases`].
    pub killed_by: BTreeSet<usize>,
    /// The laws that it breaks, by name: on the images and the directed inputs of its layer.
    pub properties: BTreeSet<&'static str>,
    /// Whether a code of the whole network is beyond the bound of the float network.
    pub beyond_bound: bool,
    /// Whether a value of some case is off by more than one.
    pub beyond_one: bool,
    /// Whether an image of the whole network is classified otherwise.
    pub classes: bool,
}

/// All injections and the cases that were asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct KillMatrix {
    /// `network scheme case`.
    pub cases: Vec<String>,
    /// Those that some case sees.
    pub injections: Vec<Injection>,
    /// Those that none sees, though the mistake applies: on these inputs it is none.
    pub unseen: Vec<Injection>,
}

impl KillMatrix {
    /// Makes every mistake in a network and asks all cases of its trial.
    ///
    /// # Errors
    /// None for a trial that was made.
    pub fn add(&mut self, trial: &Trial) -> Result<(), ShapeError> {
        let network = format!("{} {}", trial.model.network, trial.model.scheme);
        let first = self.cases.len();
        (self.cases).extend(
            trial
                .probes
                .iter()
                .map(|probe| format!("{network} {}", probe.name)),
        );
        let bounds = match trial.probe(NETWORK) {
            Some(probe) => Some(Bounds::new(&trial.model, &probe.input)?),
            None => None,
        };
        let sites: Vec<(usize, &Mistake)> = (0..trial.model.nodes.len())
            .flat_map(|node| mistakes::ALL.iter().map(move |mistake| (node, mistake)))
            .collect();
        let injections: Vec<Injection> = (sites.into_par_iter())
            .flat_map_iter(|(node, mistake)| {
                let variants = (mistake.variants)(&Site::new(&trial.model, node));
                variants
                    .into_iter()
                    .map(move |variant| (node, mistake, variant))
            })
            .map(|(node, mistake, variant)| {
                let mut injection = Injection {
                    mistake: mistake.id,
                    parameters: variant.parameters.clone(),
                    network: network.clone(),
                    node: trial.model.nodes[node].name.clone(),
                    killed_by: BTreeSet::new(),
                    properties: broken(trial, node, &variant)?,
                    beyond_bound: false,
                    beyond_one: false,
                    classes: false,
                };
                for (at, probe) in trial.probes.iter().enumerate() {
                    let bounds = bounds.as_ref().filter(|_| probe.name == NETWORK);
                    ask(
                        trial,
                        probe,
                        (node, &variant),
                        bounds,
                        &mut injection,
                        first + at,
                    )?;
                }
                Ok(injection)
            })
            .collect::<Result<_, ShapeError>>()?;
        let (seen, unseen) = (injections.into_iter())
            .partition::<Vec<_>, _>(|injection| !injection.killed_by.is_empty());
        self.injections.extend(seen);
        self.unseen.extend(unseen);
        Ok(())
    }

    /// The cases that see each form of each mistake, in some network and node.
    pub fn kills(&self) -> Vec<BTreeSet<usize>> {
        let mut kills: BTreeMap<(&str, &str), BTreeSet<usize>> = BTreeMap::new();
        for injection in &self.injections {
            kills
                .entry((injection.mistake, &injection.parameters))
                .or_default()
                .extend(&injection.killed_by);
        }
        kills.into_values().collect()
    }
}

/// Runs the wrong network on a probe; accumulators are compared as well as codes.
fn ask(
    trial: &Trial,
    probe: &Probe,
    (node, variant): (usize, &Variant),
    bounds: Option<&Bounds>,
    injection: &mut Injection,
    case: usize,
) -> Result<(), ShapeError> {
    if !probe.nodes.contains(&node) {
        return Ok(());
    }
    let input = match node == probe.nodes.start {
        true => &probe.input,
        false => probe.golden_of(node - 1),
    };
    let mut x = variant.step.run(input)?;
    for at in node..probe.nodes.end {
        if at > node {
            x = trial.model.nodes[at].step.run(&x)?;
        }
        let golden = probe.golden_of(at);
        if x == *golden {
            // From here on nothing differs.
            return Ok(());
        }
        injection.killed_by.insert(case);
        injection.beyond_bound |= bounds.is_some_and(|bounds| bounds.is_beyond(at, &x));
        if !trial.model.nodes[at].is_accumulators() {
            injection.beyond_one |= off_by_more_than_one(golden, &x);
        }
    }
    if probe.name == NETWORK {
        injection.classes |= classes(probe.golden_of(probe.nodes.end - 1)) != classes(&x);
    }
    Ok(())
}

/// The laws that a wrong step breaks on some input that its layer is asked.
fn broken(
    trial: &Trial,
    node: usize,
    variant: &Variant,
) -> Result<BTreeSet<&'static str>, ShapeError> {
    let mut broken = BTreeSet::new();
    let probes = trial.probes.iter().filter(|probe| {
        // The first image of the network is the layer's own first.
        probe.nodes.contains(&node) && (probe.name != NETWORK || node == 0)
    });
    for probe in probes {
        let input = match node == probe.nodes.start {
            true => &probe.input,
            false => probe.golden_of(node - 1),
        };
        for property in &PROPERTIES {
            if property.is_broken(&trial.model.nodes[node], &variant.step, input)? {
                broken.insert(property.name);
            }
        }
    }
    Ok(broken)
}

fn off_by_more_than_one(golden: &Values, x: &Values) -> bool {
    golden.shape() != x.shape()
        || (golden.data().iter().zip(x.data())).any(|(a, b)| (a - b).abs() > 1.0 || b.is_nan())
}

/// The first largest value of each image.
fn classes(logits: &Values) -> Vec<usize> {
    (0..logits.shape().first().copied().unwrap_or(0))
        .map(|image| {
            let values = logits.item(image);
            (1..values.len()).fold(
                0,
                |best, at| {
                    if values[at] > values[best] { at } else { best }
                },
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{GOLDEN, MODELS, Step};
    use fixtures::Fixtures;

    fn trial(network: &str, scheme: usize) -> Trial {
        let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
        Trial::new(&fixtures, network, MODELS[scheme], GOLDEN, 2, 1).unwrap()
    }

    /// A check that accuses a right network is none.
    #[rstest::rstest]
    fn the_right_network_keeps_every_law_and_the_bound(#[values(0, 1, 2, 3)] scheme: usize) {
        // Convolutions, padding and pools once, every scheme once.
        let trial = trial(["lenet5-mnist", "mlp-mnist"][scheme % 2], scheme);
        let whole = trial.probe(NETWORK).unwrap();
        let bounds = Bounds::new(&trial.model, &whole.input).unwrap();
        for (at, node) in trial.model.nodes.iter().enumerate() {
            let right = Variant::named("", node.step.clone());
            assert_eq!(
                broken(&trial, at, &right).unwrap(),
                BTreeSet::new(),
                "{}",
                node.name
            );
            assert!(!bounds.is_beyond(at, whole.golden_of(at)), "{}", node.name);
        }
    }

    /// The whole network, two layers by themselves, and one on directed inputs.
    #[test]
    fn each_check_sees_what_it_can() {
        let mut trial = trial("mlp-mnist", 0);
        let probes = [NETWORK, "layer-relu1", "layer-fc2", "directed-fc2"];
        trial
            .probes
            .retain(|probe| probes.contains(&probe.name.as_str()));
        let mut matrix = KillMatrix::default();
        matrix.add(&trial).unwrap();
        assert_eq!(
            matrix.cases,
            probes.map(|name| format!("mlp-mnist max-abs {name}"))
        );
        let laws: BTreeSet<&str> = PROPERTIES.iter().map(|property| property.name).collect();
        let all = || matrix.injections.iter().chain(&matrix.unseen);
        let broken = all().flat_map(|injection| injection.properties.iter().copied());
        assert_eq!(broken.collect::<BTreeSet<&str>>(), laws);
        // One line a form of a mistake in one node: cases, and what else sees it.
        let line = |of: &Injection| {
            let cases: Vec<String> = of.killed_by.iter().map(usize::to_string).collect();
            let others = [
                (of.beyond_one, "beyond ±1"),
                (of.beyond_bound, "beyond the bound"),
                (of.classes, "classes"),
            ];
            let others = others.iter().filter(|(is, _)| *is).map(|&(_, name)| name);
            let by: Vec<&str> = of.properties.iter().copied().chain(others).collect();
            let mistake = format!("{} ({})", of.mistake, of.parameters).replace(" ()", "");
            let (cases, by) = (cases.join(" "), by.join(", "));
            format!("{:<17} {cases:<6} {mistake}: {by}", of.node)
        };
        let of = ["fc2", "fc2.accumulators", "input", "fc3"];
        let lines: BTreeSet<String> = all()
            .filter(|injection| of.contains(&injection.node.as_str()))
            .map(line)
            .map(|line| line.trim_end_matches([':', ' ']).to_owned())
            .collect();
        insta::assert_snapshot!(lines.into_iter().collect::<Vec<_>>().join("\n"));
        // No mistake before a layer shows when the layer is asked by itself.
        let fc1 = all().filter(|injection| injection.node.starts_with("fc1"));
        assert!(fc1.clone().count() > 20);
        assert!(
            fc1.into_iter()
                .all(|injection| injection.killed_by.is_subset(&[0].into()))
        );
        let kills = matrix.kills();
        assert!(is_minimal(&minimal(&kills), &kills));
    }

    #[test]
    fn one_is_allowed_more_is_not() {
        let of = |x: f64| {
            let [golden, x] = [0.0, x].map(|x| Values::full(&[1, 3], x).unwrap());
            off_by_more_than_one(&golden, &x)
        };
        assert!([0.0, 1.0, -1.0].into_iter().all(|x| !of(x)));
        assert!([1.5, 2.0, -2.0, f64::NAN].into_iter().all(of));
        let [short, long] = [3, 4].map(|count| Values::full(&[1, count], 0.0).unwrap());
        assert!(off_by_more_than_one(&short, &long));
    }

    #[test]
    fn a_class_is_the_first_of_the_largest() {
        let logits = vec![1.0, 3.0, 3.0, -5.0, -4.0, -4.5, 2.0, 0.0, 1.0];
        assert_eq!(classes(&Values::new(&[3, 3], logits).unwrap()), [1, 1, 0]);
    }

    /// By how many steps all codes of a layer must be off until the bound sees it: few where a
    /// layer is narrow, and the same number every time; `-` where no code can be that far off.
    #[test]
    fn a_bound_has_a_size() {
        let steps = |scheme: usize| {
            let trial = trial(["mlp-mnist", "lenet5-mnist"][scheme % 2], scheme);
            let whole = trial.probe(NETWORK).unwrap();
            let bounds = Bounds::new(&trial.model, &whole.input).unwrap();
            let layer = |at: usize| {
                let right = whole.golden_of(at);
                let by =
                    (1..256).find(|&by| bounds.is_beyond(at, &right.map(|x| x + f64::from(by))));
                let name = &trial.model.nodes[at].name;
                by.map_or(format!("{name} -"), |by| format!("{name} {by}"))
            };
            let layers =
                (0..trial.model.nodes.len()).filter(|&at| trial.model.nodes[at].params.is_some());
            let layers: Vec<String> = layers.map(layer).collect();
            format!(
                "{} {}: {}",
                trial.model.network,
                trial.model.scheme,
                layers.join(", ")
            )
        };
        insta::assert_snapshot!([0, 1, 2, 3].map(steps).join("\n"));
    }

    #[test]
    fn a_network_without_its_weights_is_beyond_the_bound() {
        let mut trial = trial("mlp-mnist", 2);
        let pixels = trial.probe(NETWORK).unwrap().input.clone();
        let bounds = Bounds::new(&trial.model, &pixels).unwrap();
        let at = trial.model.position("fc1.accumulators").unwrap();
        if let Step::Accumulate(sums) = &mut trial.model.nodes[at].step {
            sums.weight.data_mut().fill(0);
        }
        let outputs = trial.model.trace(&pixels).unwrap();
        assert!(bounds.is_beyond(at + 1, &outputs[at + 1]));
        assert!(!bounds.is_beyond(0, &outputs[0]));
    }
}
