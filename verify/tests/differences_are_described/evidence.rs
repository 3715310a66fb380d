//! Every finding is said where it holds, and only there.

use reference::PoolGeometry;
use reference::ops::AveragePoolGeometry;
use rstest::rstest;
use verify::diagnosis::{Arrangement, Evidence, Finding, Segment, worked};
use verify::mistakes::{Site, find};
use verify::model::{AveragePool, FlattenOrder, MeanRounding, Model, Step, Values};

use crate::differences_are_described::traced::{lab, padded};

/// Changes the values at these places by a function.
fn changed(values: &Values, mut f: impl FnMut(&[usize], f64) -> f64) -> Values {
    let mut changed = values.clone();
    for at in 0..values.data().len() {
        changed.data_mut()[at] = f(&values.position(at), values.data()[at]);
    }
    changed
}

fn has(findings: &[Finding], wanted: impl Fn(&Finding) -> bool) -> bool {
    findings.iter().any(wanted)
}

#[test]
fn nothing_is_said_of_what_is_right() {
    let lab = lab();
    let evidence = Evidence::new(&lab.segment("conv1.accumulators", "conv1", lab.output("conv1")));
    assert_eq!((evidence.differing, evidence.largest), (0, None));
    assert_eq!(evidence.findings, []);
    assert_eq!(evidence.lines(), ["none of 9408 values differs"]);
}

#[test]
fn one_value_off_by_one() {
    let lab = lab();
    let right = lab.output("conv1");
    let wrong = changed(right, |at, x| x + f64::from(u8::from(at == [1, 4, 7, 9])));
    let evidence = Evidence::new(&lab.segment("conv1.accumulators", "conv1", &wrong));
    assert_eq!((evidence.differing, evidence.largest), (1, Some(1.0)));
    let findings = &evidence.findings;
    assert!(findings.contains(&Finding::OffByOne));
    assert!(findings.contains(&Finding::OneImage { image: 1, of: 2 }));
    assert!(findings.contains(&Finding::Channels {
        channels: vec![4],
        of: 6
    }));
    assert!(!has(findings, |f| matches!(
        f,
        Finding::OneSign { .. }
            | Finding::AtBorders { .. }
            | Finding::Saturated { .. }
            | Finding::AtTies { .. }
            | Finding::Rearranged { .. }
            | Finding::Shift { .. }
            | Finding::Factor { .. }
            | Finding::Wraps { .. }
    )));
    assert!(evidence.to_string().contains("only in channel 4 of 6"));
}

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

/// One image whose accumulators are the odd multiples of half a divisor of 2.
#[test]
fn ties_are_found_with_and_without_the_steps_after_them() {
    let lab = lab();
    let mut model = lab.model.clone();
    let node = lab.at("conv1");
    let Step::Requantize(requantize) = &mut model.nodes[node].step else {
        panic!("conv1 is a requantization");
    };
    // Every second channel has ties.
    for (o, channel) in requantize.channels.iter_mut().enumerate() {
        channel.output_scale = if o % 2 == 0 { 2.0 } else { 5.0 };
        channel.output_zero_point = 90;
    }
    let mut at = 0;
    let input = Values::full(&[1, 6, 28, 28], 0.0).unwrap().map(|_| {
        at += 1;
        f64::from(at % 97)
    });
    for last in [node, node + 1, node + 2] {
        let run = |model: &Model| {
            let steps = model.steps(node..last + 1);
            steps.fold(input.clone(), |x, step| step.run(&x).unwrap())
        };
        let mut other = model.clone();
        let step = (find("half-up").unwrap().variants)(&Site::new(&model, node))
            .remove(0)
            .step;
        other.nodes[node].step = step;
        let (expected, observed) = (run(&model), run(&other));
        let segment = |observed| Segment {
            model: &model,
            nodes: node..last + 1,
            input: &input,
            expected: &expected,
            observed,
        };
        assert_ne!(expected, observed);
        let findings = Evidence::new(&segment(&observed)).findings;
        // Where it matters which way a tie goes: 90 and more is cut at 127.
        let matters = (0..input.data().len()).filter(|&at| {
            let (channel, acc) = (at / 784 % 6, input.data()[at]);
            channel % 2 == 0 && acc % 2.0 == 1.0 && (acc / 2.0).floor() + 90.0 < 127.0
        });
        let ties = matters.count();
        let wanted = Finding::AtTies { ties };
        assert!(
            last > node + 1 || findings.contains(&wanted),
            "{findings:?}"
        );
        assert!(has(
            &findings,
            |f| matches!(f, Finding::AtTies { ties } if *ties > 0)
        ));
        // One more that is on none: the first accumulator that is even and stays so.
        let beside = (0..expected.data().len())
            .find(|&at| observed.data()[at] == expected.data()[at] && input.data()[at] == 4.0);
        let mut beside_a_tie = observed.clone();
        if last > node + 1 {
            beside_a_tie = beside_a_tie.map(|x| x + 1.0);
        } else {
            beside_a_tie.data_mut()[beside.unwrap()] += 1.0;
        }
        let findings = Evidence::new(&segment(&beside_a_tie)).findings;
        assert!(!has(&findings, |f| matches!(f, Finding::AtTies { .. })));
    }
}

/// Pixels whose numbers are 2.5 and −2.5, and one that is on no tie.
#[test]
fn ties_of_the_input_are_found_unless_channels_are_exchanged() {
    let lab = lab();
    let mut model = lab.model.clone();
    let Step::Quantize(quantize) = &mut model.nodes[0].step else {
        panic!("the input is quantized")
    };
    (quantize.mean, quantize.std) = (0.5, 0.5);
    quantize.params.scale = quant::Scale::new(0.4).unwrap();
    let mut pixels = Values::full(&[1, 3, 32, 32], 100.0).unwrap();
    pixels.data_mut()[..4].copy_from_slice(&[0.0, 255.0, 0.0, 255.0]);
    let at_ties = |model: &Model, off: Option<usize>| {
        let expected = model.nodes[0].step.run(&pixels).unwrap();
        let mut away = model.nodes[0].step.clone();
        if let Step::Quantize(quantize) = &mut away {
            quantize.rounding = quant::Rounding::TiesAwayFromZero;
        }
        let mut observed = away.run(&pixels).unwrap();
        if let Some(at) = off {
            observed.data_mut()[at] += 1.0;
        }
        let segment = Segment {
            model,
            nodes: 0..1,
            input: &pixels,
            expected: &expected,
            observed: &observed,
        };
        let findings = Evidence::new(&segment).findings;
        findings.into_iter().find_map(|finding| match finding {
            Finding::AtTies { ties } => Some(ties),
            _ => None,
        })
    };
    assert_eq!(at_ties(&model, None), Some(4));
    assert_eq!(at_ties(&model, Some(9)), None);
    // 127 is the last code: of 2 and 3 steps from 125 both are it.
    if let Step::Quantize(quantize) = &mut model.nodes[0].step {
        quantize.params.zero_point = 125;
    }
    assert_eq!(at_ties(&model, None), Some(2));
    if let Step::Quantize(quantize) = &mut model.nodes[0].step {
        quantize.channels = vec![0, 2, 1];
    }
    assert_eq!(at_ties(&model, None), None);
}

/// Means of 0.5, 1.5 and −0.5 and one that is on no tie, from a pool that leaves padding out.
#[test]
fn ties_of_means_are_found() {
    let lab = lab();
    let mut model = lab.model.clone();
    let node = lab.at("pool1");
    let pool = |rounding| {
        Step::AveragePool(AveragePool {
            geometry: AveragePoolGeometry {
                window: PoolGeometry {
                    kernel: [1, 2],
                    stride: [1, 2],
                    padding: [0, 0],
                },
                count_include_pad: false,
            },
            zero_point: 0.0,
            rounding: MeanRounding::Rule(rounding),
        })
    };
    model.nodes[node].step = pool(quant::Rounding::TiesToEven);
    let input = Values::new(&[1, 1, 1, 8], vec![0., 1., 1., 2., -1., 0., 4., 4.]).unwrap();
    let expected = model.nodes[node].step.run(&input).unwrap();
    assert_eq!(expected.data(), [0.0, 2.0, 0.0, 4.0]);
    let at_ties = |observed: Values| {
        let segment = Segment {
            model: &model,
            nodes: node..node + 1,
            input: &input,
            expected: &expected,
            observed: &observed,
        };
        has(&Evidence::new(&segment).findings, |f| {
            *f == Finding::AtTies { ties: 3 }
        })
    };
    let floor = pool(quant::Rounding::Floor).run(&input).unwrap();
    assert_eq!(floor.data(), [0.0, 1.0, -1.0, 4.0]);
    assert!(at_ties(floor));
    assert!(!at_ties(expected.map(|x| x + 1.0)));
}

#[test]
fn saturated_values_wrapped_values_shifts_and_factors() {
    let lab = lab();
    let right = lab.output("conv1");
    let findings = |wrong: &Values| lab.findings("conv1.accumulators", "conv1", wrong);

    let narrow = changed(right, |_, x| x.clamp(-20.0, 20.0));
    assert!(!has(&findings(&narrow), |f| matches!(
        f,
        Finding::Saturated { .. }
    )));
    let saturated = changed(right, |_, x| if x > 30.0 { 127.0 } else { x });
    assert!(findings(&saturated).contains(&Finding::Saturated {
        low: -128.0,
        high: 127.0
    }));

    let shifted = changed(right, |_, x| (x + 7.0).clamp(-128.0, 127.0));
    let found = findings(&shifted);
    assert!(found.contains(&Finding::Shift { by: 7.0 }), "{found:?}");
    assert!(!has(&found, |f| matches!(f, Finding::Factor { .. })));

    let scaled = changed(right, |_, x| (x * 0.5).round_ties_even());
    let found = findings(&scaled);
    assert!(
        has(
            &found,
            |f| matches!(f, Finding::Factor { low, high } if (*low..=*high).contains(&0.5))
        ),
        "{found:?}"
    );
    assert!(!has(&found, |f| matches!(f, Finding::Shift { .. })));
    let sums = changed(lab.output("conv1.accumulators"), |_, x| x * -3.0);
    let found = lab.findings("conv1.accumulators", "conv1.accumulators", &sums);
    assert!(
        found.contains(&Finding::Factor {
            low: -3.0,
            high: -3.0
        }),
        "{found:?}"
    );

    let wrapped = changed(lab.output("conv1.accumulators"), |_, x| {
        f64::from(x as i64 as i16)
    });
    let found = lab.findings("conv1.accumulators", "conv1.accumulators", &wrapped);
    assert_eq!(
        wrapped != *lab.output("conv1.accumulators"),
        found.contains(&Finding::Wraps { modulus: 65536 })
    );
    let bytes = changed(right, |_, x| if x > 9.0 { x - 256.0 } else { x });
    let found = findings(&bytes);
    assert!(found.contains(&Finding::Wraps { modulus: 256 }));
    assert!(has(&found, |f| matches!(
        f,
        Finding::OutsideCodes {
            low: -128,
            high: 127,
            ..
        }
    )));
    // From the number before saturation: requantized without a clamp, then cast; each channel
    // by a scale of its own.
    let node = lab.at("conv1");
    let mut model = lab.model.clone();
    let Step::Requantize(requantize) = &mut model.nodes[node].step else {
        panic!("conv1 is a requantization");
    };
    for (o, channel) in requantize.channels.iter_mut().enumerate() {
        channel.output_scale *= 1.0 + o as f64 / 10.0;
    }
    let requantize = requantize.clone();
    let sums = lab.output("conv1.accumulators").map(|acc| acc * 4.0);
    let found = |last: usize, observed: &Values| {
        let run = |x: Values, step: &Step| step.run(&x).unwrap();
        let expected = model.steps(node..last + 1).fold(sums.clone(), run);
        let segment = Segment {
            model: &model,
            nodes: node..last + 1,
            input: &sums,
            expected: &expected,
            observed,
        };
        let found = Evidence::new(&segment).findings;
        found.contains(&Finding::Wraps { modulus: 256 })
    };
    let number = |at: &[usize], acc: f64| requantize.one(at[1], acc).0;
    let cast = changed(&sums, |at, acc| f64::from(number(at, acc) as i64 as i8));
    assert!(found(node, &cast));
    // Behind another step it is not the number before that would have wrapped.
    let expected = lab.model.nodes[node + 1]
        .step
        .run(&model.nodes[node].step.run(&sums).unwrap());
    let mut behind = expected.unwrap();
    for at in 0..behind.data().len() {
        let number = number(&sums.position(at), sums.data()[at]);
        if (256.0..383.0).contains(&number) {
            behind.data_mut()[at] = number - 256.0;
        }
    }
    assert!(!found(node + 1, &behind));
}

/// An output of conv1 of one image, made by hand: whether a finding is said of it.
fn said(right: &[f64], wrong: &[f64], wanted: impl Fn(&Finding) -> bool) -> bool {
    let lab = lab();
    let node = lab.at("conv1");
    let [right, wrong] = [right, wrong].map(|x| Values::new(&[1, 1, 1, x.len()], x.to_vec()));
    let (right, wrong) = (right.unwrap(), wrong.unwrap());
    let segment = Segment {
        model: &lab.model,
        nodes: node..node + 1,
        input: &right,
        expected: &right,
        observed: &wrong,
    };
    has(&Evidence::new(&segment).findings, wanted)
}

#[test]
fn one_value_or_saturated_ones_are_no_shift() {
    let shift = |right: &[f64], wrong: &[f64]| {
        said(right, wrong, |finding| {
            matches!(finding, Finding::Shift { .. })
        })
    };
    assert!(shift(&[1.0, 5.0, 127.0], &[3.0, 7.0, 127.0]));
    assert!(!shift(&[1.0, 5.0], &[3.0, 8.0]));
    // One that tells, beside one that is saturated.
    assert!(!shift(&[1.0, 127.0], &[3.0, 127.0]));
    // Saturated ones differ alone: by 0 is no shift.
    assert!(!shift(&[1.0, 5.0, 127.0], &[1.0, 5.0, 126.0]));
    assert!(!shift(&[1.0, 5.0], &[f64::INFINITY; 2]));
    assert!(!shift(&[127.0, -128.0], &[126.0, -127.0]));
}

#[test]
fn one_value_is_no_factor() {
    let factor = |right: &[f64], wrong: &[f64]| {
        said(right, wrong, |finding| {
            matches!(finding, Finding::Factor { .. })
        })
    };
    assert!(factor(&[10.0, 20.0, 0.0], &[20.0, 40.0, 1.0]));
    assert!(!factor(&[10.0], &[20.0]));
    assert!(!factor(&[10.0, 0.0], &[20.0, 0.0]));
    // 0 is 0 by any factor, up to half a step times it.
    assert!(!factor(&[10.0, 20.0, 0.0], &[20.0, 40.0, 3.0]));
    assert!(!factor(&[10.0, 20.0], &[20.0, 10.0]));
    // A step more is as good as none.
    assert!(!factor(&[10.0, 20.0], &[11.0, 20.0]));
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

#[test]
fn one_image_is_no_news_where_there_is_no_other() {
    let one = |finding: &Finding| matches!(finding, Finding::OneImage { .. });
    assert!(!said(&[1.0, 2.0, 3.0], &[3.0, 2.0, 3.0], one));
}

#[test]
fn minus_zero_is_zero_in_another_order() {
    let rearranged = |finding: &Finding| matches!(finding, Finding::Rearranged { .. });
    assert!(said(&[0.0, 1.0, 2.0], &[2.0, -0.0, 1.0], rearranged));
    assert!(!said(&[0.0, 1.0, 2.0], &[2.0, -1.0, 1.0], rearranged));
}

/// The ends of the codes are codes; and those of a ReLU begin at 0, those of a sum behind it not.
#[test]
fn the_ends_are_those_of_the_layer() {
    let outside = |finding: &Finding| matches!(finding, Finding::OutsideCodes { .. });
    assert!(!said(&[5.0, 5.0], &[-128.0, 127.0], outside));
    assert!(said(&[5.0, 5.0], &[-129.0, 127.0], outside));
    assert!(said(&[5.0, 5.0], &[-128.0, 128.0], outside));
    let lab = lab();
    let saturated = |first: &str, last: &str, end: f64| {
        let wrong = changed(lab.output(last), |_, x| if x == end { x + 3.0 } else { x });
        assert_ne!(&wrong, lab.output(last), "{last}");
        let findings = lab.findings(first, last, &wrong).into_iter();
        let mut ends = findings.filter_map(|finding| match finding {
            Finding::Saturated { low, high } => Some([low, high]),
            _ => None,
        });
        ends.next()
    };
    assert_eq!(saturated("relu1", "relu1", 0.0), Some([0.0, 127.0]));
    assert_eq!(saturated("conv2.accumulators", "conv2", 0.0), None);
}

/// A factor is about the zero point.
#[test]
fn codes_times_a_factor_keep_their_zero_point() {
    let lab = lab();
    let mut model = lab.model.clone();
    let node = lab.at("conv1");
    model.nodes[node].params.as_mut().unwrap().zero_point = -20;
    let right = Values::new(&[1, 1, 1, 4], vec![-10.0, 0.0, 20.0, -20.0]).unwrap();
    let factor = |wrong: [f64; 4]| {
        let wrong = Values::new(&[1, 1, 1, 4], wrong.to_vec()).unwrap();
        let segment = Segment {
            model: &model,
            nodes: node..node + 1,
            input: &right,
            expected: &right,
            observed: &wrong,
        };
        has(&Evidence::new(&segment).findings, |f| {
            matches!(f, Finding::Factor { .. })
        })
    };
    assert!(factor([0.0, 20.0, 60.0, -20.0]));
    assert!(!factor([-20.0, 0.0, 40.0, -40.0]));
}

/// Two right channels are equal: which is which cannot be said.
#[test]
fn equal_channels_have_no_order() {
    let lab = lab();
    let node = lab.at("pool2");
    let of = |channels: [f64; 4]| {
        let data = channels.iter().flat_map(|&x| [x, x + 0.5]).collect();
        Values::new(&[1, 4, 1, 2], data).unwrap()
    };
    let order = |right: [f64; 4], wrong: [f64; 4]| {
        let (right, wrong) = (of(right), of(wrong));
        let segment = Segment {
            model: &lab.model,
            nodes: node..node + 1,
            input: &right,
            expected: &right,
            observed: &wrong,
        };
        let findings = Evidence::new(&segment).findings;
        findings.into_iter().find_map(|finding| match finding {
            Finding::Rearranged { arrangement } => Some(arrangement),
            _ => None,
        })
    };
    let channels = |order: &[usize]| {
        let order = order.to_vec();
        Some(Some(Arrangement::Channels { order }))
    };
    assert_eq!(
        order([1., 2., 3., 4.], [2., 1., 4., 3.]),
        channels(&[1, 0, 3, 2])
    );
    assert_eq!(order([1., 1., 3., 4.], [3., 1., 4., 1.]), Some(None));
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

#[test]
fn numbers_that_are_no_codes() {
    let lab = lab();
    let wrong = changed(lab.output("conv1"), |at, x| match at {
        [0, 0, 3, 3] => f64::NAN,
        [0, 0, 3, 4] => 20.5,
        [0, 0, 3, 5] => f64::INFINITY,
        _ => x,
    });
    let evidence = Evidence::new(&lab.segment("conv1.accumulators", "conv1", &wrong));
    let by = (20.5 - lab.output("conv1")[[0, 0, 3, 4]]).abs();
    assert_eq!((evidence.differing, evidence.largest), (3, Some(by)));
    assert!(
        evidence
            .findings
            .contains(&Finding::NotNumbers { count: 2 })
    );
    assert!(
        evidence
            .findings
            .contains(&Finding::NotIntegers { count: 1 })
    );
    assert!(!has(&evidence.findings, |f| matches!(
        f,
        Finding::OneSign { .. } | Finding::OffByOne | Finding::Wraps { .. }
    )));
    assert!(
        serde_json::to_string(&evidence)
            .unwrap()
            .contains("not-numbers")
    );
}

#[test]
fn other_shapes_and_no_values() {
    let lab = lab();
    let flat = lab.output("conv1").clone().reshape(&[2, 4704]).unwrap();
    let evidence = Evidence::new(&lab.segment("conv1.accumulators", "conv1", &flat));
    assert_eq!(evidence.differing, evidence.values);
    assert_eq!(
        evidence.findings,
        [Finding::Shapes {
            expected: vec![2, 6, 28, 28],
            observed: vec![2, 4704]
        }]
    );
    for shape in [
        vec![0, 6, 28, 28],
        vec![2, 0, 28, 28],
        vec![2, 6, 0, 0],
        vec![0],
        vec![],
    ] {
        let empty = Values::new(&shape, vec![0.0; shape.iter().product()]).unwrap();
        let other = empty.map(|x| x + 1.0);
        let segment = Segment {
            model: &lab.model,
            nodes: 2..3,
            input: &empty,
            expected: &empty,
            observed: &other,
        };
        let evidence = Evidence::new(&segment);
        assert_eq!(evidence.differing, empty.data().len(), "{shape:?}");
        // It need not fit; it must not panic.
        let _ = worked(&segment, None);
    }
}

#[rstest]
#[case("HWC", 0)]
#[case("CWH", 1)]
#[case("H", 2)]
#[case("HW", 3)]
#[case("C", 4)]
fn arrangements(#[case] name: &str, #[case] kind: usize) {
    let lab = lab();
    let right = lab.output("pool2"); // [2, 16, 5, 5]
    let hwc = (Step::Flatten(FlattenOrder::Hwc).run(right).unwrap())
        .reshape(right.shape())
        .unwrap();
    let moved = |f: &dyn Fn(usize, usize, usize) -> [usize; 3]| {
        changed(right, |at, _| {
            let [c, y, x] = f(at[1], at[2], at[3]);
            right[[at[0], c, y, x]]
        })
    };
    let wrong = match kind {
        0 => hwc,
        1 => moved(&|c, y, x| [c, x, y]),
        2 => moved(&|c, y, x| [c, 4 - y, x]),
        3 => moved(&|c, y, x| [c, 4 - y, 4 - x]),
        _ => moved(&|c, y, x| [15 - c, y, x]),
    };
    let arrangement = match kind {
        0 | 1 => Arrangement::Axes { axes: name.into() },
        _ => Arrangement::Reversed { axes: name.into() },
    };
    let wanted = Finding::Rearranged {
        arrangement: Some(arrangement),
    };
    assert!(lab.findings("pool2", "pool2", &wrong).contains(&wanted));
    // One value that was not there.
    let mut other = wrong.clone();
    other.data_mut()[0] += 1.0;
    let found = lab.findings("pool2", "pool2", &other);
    assert!(!has(&found, |f| matches!(f, Finding::Rearranged { .. })));
}

#[test]
fn channels_in_another_order_and_a_flattened_map() {
    let lab = lab();
    let right = lab.output("pool2");
    let swap = |c: usize| [1, 0].get(c).copied().unwrap_or(c);
    let wrong = changed(right, |at, _| right[[at[0], swap(at[1]), at[2], at[3]]]);
    let order = (0..16).map(swap).collect();
    let wanted = Finding::Rearranged {
        arrangement: Some(Arrangement::Channels { order }),
    };
    let found = lab.findings("pool2", "pool2", &wrong);
    assert!(found.contains(&wanted), "{found:?}");
    let flat = Step::Flatten(FlattenOrder::Hwc).run(right).unwrap();
    let axes = Finding::Rearranged {
        arrangement: Some(Arrangement::Axes { axes: "HWC".into() }),
    };
    assert!(lab.findings("flatten", "flatten", &flat).contains(&axes));
}
