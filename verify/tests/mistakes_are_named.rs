//! Every mistake, made in every node where it changes something, is named.

mod common;

use rstest::rstest;
use verify::diagnosis::{Diagnosis, Segment};
use verify::mistakes::{ALL, Site};
use verify::model::{GOLDEN, MODELS, Model};

use common::load_traced;

#[rstest]
#[case("lab")]
#[case("lenet5-mnist")]
fn alone(#[case] name: &str) {
    let (fixture, images, _) = load_traced(name);
    let pixels = images.pixels.head(2).map(f64::from);
    for scheme in MODELS {
        let model = Model::new(&fixture, &images, scheme, GOLDEN).unwrap();
        let trace = model.trace(&pixels).unwrap();
        for node in 0..model.nodes.len() {
            let input = if node == 0 { &pixels } else { &trace[node - 1] };
            for mistake in ALL {
                for variant in (mistake.variants)(&Site::new(&model, node)) {
                    let observed = variant.step.run(input).unwrap();
                    let segment = Segment {
                        model: &model,
                        nodes: node..node + 1,
                        input,
                        expected: &trace[node],
                        observed: &observed,
                    };
                    let diagnosis = Diagnosis::new(&segment, true).unwrap();
                    let names: Vec<String> = diagnosis
                        .explanations
                        .iter()
                        .map(ToString::to_string)
                        .collect();
                    println!(
                        "{name} {scheme} {} {} {}: {} differ, {}",
                        model.nodes[node].name,
                        mistake.id,
                        variant.parameters,
                        diagnosis.differing,
                        names.join("; ")
                    );
                    assert!(
                        diagnosis.differing == 0
                            || (diagnosis.explanations.iter())
                                .any(|found| found.causes[0].id == mistake.id)
                    );
                }
            }
        }
    }
}
