//! Every finding is said where it holds, and only there.

mod borders;
mod orders;
mod ties;

use crate::differences_are_described::traced::lab;
use verify::diagnosis::{Evidence, Finding, Segment, worked};
use verify::model::{Step, Values};

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
fn one_image_is_no_news_where_there_is_no_other() {
    let one = |finding: &Finding| matches!(finding, Finding::OneImage { .. });
    assert!(!said(&[1.0, 2.0, 3.0], &[3.0, 2.0, 3.0], one));
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
