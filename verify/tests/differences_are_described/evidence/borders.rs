//! Differences at borders, of a map or of what is padded, and in few channels.

use crate::differences_are_described::traced::{lab, padded};
use reference::PoolGeometry;
use reference::ops::AveragePoolGeometry;
use verify::diagnosis::{Evidence, Finding, Segment};
use verify::model::{AveragePool, MeanRounding, Step, Values};

use super::{changed, has, said};

#[test]
fn borders() {
    let lab = lab();
    let outer = changed(lab.output("conv1"), |at, x| match at {
        [_, _, 0 | 27, _] | [_, _, _, 0 | 27] => x + 3.0,
        _ => x,
    });
    let findings = lab.findings("conv1.accumulators", "conv1", &outer);
    assert!(findings.contains(&Finding::AtBorders { padding: false }));
    assert!(findings.contains(&Finding::OneSign { above: true }));
    assert!(!findings.contains(&Finding::OffByOne));
    let inner = changed(&outer, |at, x| if at == [0, 0, 1, 1] { x + 1.0 } else { x });
    let findings = lab.findings("conv1.accumulators", "conv1", &inner);
    assert!(!has(&findings, |f| matches!(f, Finding::AtBorders { .. })));

    // Padding 2 under a 5×5 window touches two rows, one after pooling.
    let padded = padded();
    let (wrong, _) = padded.mistaken(
        "conv1.accumulators",
        "pool1",
        "conv1.accumulators",
        "padding-zero",
    );
    for (last, wrong) in [("conv1", None), ("pool1", Some(wrong))] {
        let wrong = wrong.unwrap_or_else(|| {
            padded
                .mistaken(
                    "conv1.accumulators",
                    last,
                    "conv1.accumulators",
                    "padding-zero",
                )
                .0
        });
        let findings = padded.findings("conv1.accumulators", last, &wrong);
        if wrong != *padded.output(last) {
            assert!(
                findings.contains(&Finding::AtBorders { padding: true }),
                "{findings:?}"
            );
        }
    }
    let second_row = changed(padded.output("conv1"), |at, x| match at {
        [_, _, 1, _] => 255.0 - x,
        _ => x,
    });
    let findings = padded.findings("conv1.accumulators", "conv1", &second_row);
    assert!(findings.contains(&Finding::AtBorders { padding: true }));
    let third_row = changed(padded.output("conv1"), |at, x| match at {
        [_, _, 2, 2..=25] => 255.0 - x,
        _ => x,
    });
    let findings = padded.findings("conv1.accumulators", "conv1", &third_row);
    assert!(!has(&findings, |f| matches!(f, Finding::AtBorders { .. })));
}

#[test]
fn where_all_is_border_or_half_the_channels_differ_nothing_is_said() {
    let border = |finding: &Finding| matches!(finding, Finding::AtBorders { .. });
    assert!(!said(&[1.0, 2.0, 3.0], &[3.0, 2.0, 3.0], border));
    let lab = lab();
    let changed_to = |count: usize| {
        let wrong = changed(lab.output("conv1"), |at, x| match at[1] < count {
            true => x + 1.0,
            false => x,
        });
        let found = lab.findings("conv1.accumulators", "conv1", &wrong);
        has(&found, |f| matches!(f, Finding::Channels { .. }))
    };
    assert_eq!([1, 2, 3, 4].map(changed_to), [true, true, false, false]);
}

/// A pool whose windows reach beyond the map's first row and column.
#[test]
fn borders_of_padded_pools() {
    let window = PoolGeometry {
        kernel: [3, 3],
        stride: [2, 2],
        padding: [1, 1],
    };
    let average = || {
        Step::AveragePool(AveragePool {
            geometry: AveragePoolGeometry {
                window,
                count_include_pad: true,
            },
            zero_point: 0.0,
            rounding: MeanRounding::Rule(quant::Rounding::TiesToEven),
        })
    };
    for (traced, from, row_13) in [
        (lab(), "pool1", false),
        (lab(), "conv1.accumulators", false),
        // Its convolution is padded on every side.
        (padded(), "conv1.accumulators", true),
    ] {
        for pool in [Step::MaxPool(window), average()] {
            let mut model = traced.model.clone();
            let node = traced.at("pool1");
            model.nodes[node].step = pool;
            let first = traced.at(from);
            let run = |x: Values, step: &Step| step.run(&x).unwrap();
            let input = traced.input(first);
            let expected = model.steps(first..node + 1).fold(input.clone(), run);
            let at_borders = |row: usize, column: usize| {
                let observed = changed(&expected, |at, x| match at {
                    [_, _, y, x_] if *y == row || *x_ == column => x + 1.0,
                    _ => x,
                });
                let segment = Segment {
                    model: &model,
                    nodes: first..node + 1,
                    input,
                    expected: &expected,
                    observed: &observed,
                };
                let findings = Evidence::new(&segment).findings;
                findings.contains(&Finding::AtBorders { padding: true })
            };
            assert!(at_borders(0, 0), "{from}");
            assert!(!at_borders(0, 5) && !at_borders(5, 0), "{from}");
            assert_eq!(at_borders(13, 0), row_13, "{from}");
        }
    }
}
