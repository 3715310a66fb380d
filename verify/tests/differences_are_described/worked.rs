//! One output worked by hand.

use quant::Rounding;
use reference::PoolGeometry;
use reference::ops::AveragePoolGeometry;
use rstest::rstest;
use verify::diagnosis::{Diagnosis, Segment, Worked, worked};
use verify::mistakes::{ALL, Site};
use verify::model::{AveragePool, MeanRounding, ModelScheme, Step};

use crate::differences_are_described::traced::{Traced, hypothesis, lab, padded};

/// Its text, held to its limits.
fn text(worked: Option<Worked>) -> String {
    let lines = worked.expect("something differs").lines;
    assert!(lines.len() <= Worked::MAX_LINES, "{lines:#?}");
    for line in &lines {
        assert!(line.chars().count() <= Worked::MAX_COLUMNS, "{line}");
    }
    lines.join("\n")
}

#[rstest]
#[case(
    "sum_wraps",
    "conv1.accumulators",
    "conv1.accumulators",
    "conv1.accumulators",
    "accumulator-16-wraps"
)]
#[case(
    "sum_wraps_then_pool",
    "conv1.accumulators",
    "pool1",
    "conv1.accumulators",
    "accumulator-16-wraps"
)]
#[case(
    "scale",
    "fc1.accumulators",
    "fc1",
    "fc1",
    "output-scale-missing-history"
)]
#[case(
    "requantize_alone",
    "conv2",
    "conv2",
    "conv2",
    "output-scale-missing-history"
)]
#[case(
    "whole_network",
    "input",
    "fc3",
    "conv2",
    "output-scale-missing-history"
)]
#[case("flatten", "flatten", "flatten", "flatten", "flatten-hwc")]
fn an_example_with_a_name(
    #[case] snapshot: &str,
    #[case] first: &str,
    #[case] last: &str,
    #[case] node: &str,
    #[case] id: &str,
) {
    let lab = lab();
    let (observed, _) = lab.mistaken(first, last, node, id);
    let segment = lab.segment(first, last, &observed);
    let diagnosis = Diagnosis::new(&segment, &[], true).unwrap();
    assert!(!diagnosis.explanations.is_empty());
    insta::assert_snapshot!(snapshot, text(diagnosis.worked(&segment).unwrap()));
}

#[test]
fn padding_worked() {
    let padded = padded();
    let (first, last) = ("conv1.accumulators", "conv1.accumulators");
    let (observed, _) = padded.mistaken(first, last, first, "padding-zero");
    let segment = padded.segment(first, last, &observed);
    let diagnosis = Diagnosis::new(&segment, &[], true).unwrap();
    insta::assert_snapshot!("padding", text(diagnosis.worked(&segment).unwrap()));
}

#[test]
fn average_for_max_worked() {
    let padded = padded();
    let node = padded.at("pool1");
    let Step::MaxPool(window) = padded.model.nodes[node].step else {
        panic!("pool1 is a max-pool");
    };
    let average = Step::AveragePool(AveragePool {
        geometry: AveragePoolGeometry {
            window,
            count_include_pad: true,
        },
        zero_point: padded.model.nodes[node].params.unwrap().zero_point.into(),
        rounding: MeanRounding::Rule(Rounding::TiesToEven),
    });
    let theirs = hypothesis(vec![(node, average)]);
    for (snapshot, first) in [
        ("average_for_max", "pool1"),
        ("average_for_max_layer", "conv1.accumulators"),
    ] {
        let nodes = padded.at(first)..node + 1;
        let mut observed = padded.input(nodes.start).clone();
        for node in nodes {
            observed = theirs.step(&padded.model, node).run(&observed).unwrap();
        }
        let segment = padded.segment(first, "pool1", &observed);
        insta::assert_snapshot!(snapshot, text(worked(&segment, Some(&theirs)).unwrap()));
    }
}

#[rstest]
#[case("input_unknown", "input", "input")]
#[case("relu_unknown", "relu1", "relu1")]
#[case("pool_unknown", "pool1", "pool1")]
#[case("layer_unknown", "conv2.accumulators", "pool2")]
#[case("linear_unknown", "fc1.accumulators", "fc1")]
fn an_example_without_a_name(#[case] snapshot: &str, #[case] first: &str, #[case] last: &str) {
    let lab = lab();
    let middle = lab.output(last).item_len() / 2 + 3;
    let mut observed = lab.output(last).clone();
    observed.data_mut()[middle] += 1.0;
    let segment = lab.segment(first, last, &observed);
    insta::assert_snapshot!(snapshot, text(worked(&segment, None).unwrap()));
}

/// An input, sums and a requantization with zero points; the integers of NNTool.
#[rstest]
#[case(
    "input_asymmetric",
    ModelScheme::PerChannelAsymmetric,
    "input",
    "input"
)]
#[case(
    "layer_asymmetric",
    ModelScheme::PerChannelAsymmetric,
    "conv1.accumulators",
    "conv1"
)]
#[case("layer_sq8", ModelScheme::NntoolSq8, "fc3.accumulators", "fc3")]
fn an_example_of_another_scheme(
    #[case] snapshot: &str,
    #[case] scheme: ModelScheme,
    #[case] first: &str,
    #[case] last: &str,
) {
    let traced = Traced::new(scheme, "lenet5-mnist");
    let middle = traced.output(last).item_len() / 2 + 3;
    let mut observed = traced.output(last).clone();
    observed.data_mut()[middle] += 1.0;
    let segment = traced.segment(first, last, &observed);
    insta::assert_snapshot!(snapshot, text(worked(&segment, None).unwrap()));
}

/// Windows of 3 × 1 at the upper edge, with padding that counts and padding that does not.
#[test]
fn means_with_a_zero_point_worked() {
    let padded = padded();
    let node = padded.at("pool1");
    let pool = |count_include_pad| {
        Step::AveragePool(AveragePool {
            geometry: AveragePoolGeometry {
                window: PoolGeometry {
                    kernel: [3, 1],
                    stride: [2, 2],
                    padding: [1, 0],
                },
                count_include_pad,
            },
            zero_point: -3.0,
            rounding: MeanRounding::Rule(Rounding::TiesToEven),
        })
    };
    let mut model = padded.model.clone();
    model.nodes[node].step = pool(true);
    let input = padded.input(node);
    let theirs = hypothesis(vec![(node, pool(false))]);
    let [expected, observed] = [pool(true), pool(false)].map(|pool| pool.run(input).unwrap());
    let segment = Segment {
        model: &model,
        nodes: node..node + 1,
        input,
        expected: &expected,
        observed: &observed,
    };
    insta::assert_snapshot!("means", text(worked(&segment, Some(&theirs)).unwrap()));
}

#[rstest]
fn every_mistake_can_be_worked(
    #[values(ModelScheme::MaxAbs, ModelScheme::PerChannelAsymmetric)] scheme: ModelScheme,
) {
    let traced = Traced::new(scheme, "lenet5-mnist");
    let mut worked_out = 0;
    // Of sums those of the smaller layers: every output of a large one takes long to work out.
    let is_large = |node: &usize| match &traced.model.nodes[*node].step {
        Step::Accumulate(sums) => sums.weight.data().len() > 1_000,
        _ => false,
    };
    for node in (0..traced.model.nodes.len()).filter(|node| !is_large(node)) {
        for mistake in ALL {
            for variant in (mistake.variants)(&Site::new(&traced.model, node)) {
                let observed = variant.step.run(traced.input(node)).unwrap();
                let segment = Segment {
                    model: &traced.model,
                    nodes: node..node + 1,
                    input: traced.input(node),
                    expected: &traced.trace[node],
                    observed: &observed,
                };
                let theirs = hypothesis(vec![(node, variant.step)]);
                if let Some(example) = worked(&segment, Some(&theirs)).unwrap() {
                    text(Some(example));
                    text(worked(&segment, None).unwrap());
                    worked_out += 1;
                }
            }
        }
    }
    assert!(worked_out > 400, "{worked_out}");
}
