//! Differences at ties alone.

use crate::differences_are_described::traced::lab;
use reference::PoolGeometry;
use reference::ops::AveragePoolGeometry;
use verify::diagnosis::{Evidence, Finding, Segment};
use verify::mistakes::{Site, find};
use verify::model::{AveragePool, MeanRounding, Model, Step, Values};

use super::has;

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
