//! Sentences stay true when the numbers change.

use super::*;
use crate::study::{
    DifferenceRow, Executed, LeastBits, RangeRow, SimulationRow, TensorStatistics, TrainingRow,
};

fn right(right: usize) -> Accuracy {
    Accuracy { right, of: 1000 }
}

/// 900 of 1,000 right, and nothing else measured.
fn network(name: &str, data: &str, least: Option<u32>) -> NetworkStudy {
    NetworkStudy {
        name: name.into(),
        data: data.into(),
        note: String::new(),
        images: 1000,
        calibration_images: 400,
        float: right(900),
        weights: vec![],
        activations: vec![],
        scales: vec![],
        zero_points: vec![],
        cap_sigma: false,
        ranges: vec![],
        errors: vec![],
        bits: vec![],
        least_bits: LeastBits {
            symmetric: least,
            asymmetric: least,
        },
        simulation: vec![],
        training: vec![],
        storage: vec![],
        calibration: vec![],
    }
}

fn overview_of(networks: &[(&str, Option<u32>)]) -> String {
    let networks = networks
        .iter()
        .map(|&(data, bits)| network("n", data, bits));
    overview(&Study {
        torch: "2".into(),
        networks: networks.collect(),
    })
}

#[test]
fn the_overview_claims_no_more_than_it_sees() {
    let text = overview_of(&[("a", Some(4)), ("a", Some(5)), ("b", Some(6)), ("b", None)]);
    assert!(
        text.contains("n 4 (a), n 5 (a), n 6 (b) and n more than 16 (b)"),
        "{text}"
    );
    assert!(
        text.contains("every network on b needs more than any on a"),
        "{text}"
    );
    let text = overview_of(&[("a", None), ("a", Some(7)), ("b", Some(6)), ("b", Some(1))]);
    assert!(
        text.contains("every network on a needs more than any on b"),
        "{text}"
    );
    // One that needs more than all that was measured counts as such.
    let text = overview_of(&[("a", Some(4)), ("a", None), ("b", Some(6)), ("b", Some(6))]);
    assert!(text.contains("overlap"), "{text}");
    let text = overview_of(&[
        ("a", Some(4)),
        ("a", Some(6)),
        ("b", Some(6)),
        ("b", Some(7)),
    ]);
    assert!(text.contains("overlap"), "{text}");
    for few in [
        &[("a", Some(4)), ("a", Some(4)), ("b", Some(9))][..],
        &[("a", Some(4))],
    ] {
        let text = overview_of(few);
        assert!(text.ends_with(").") && !text.contains("needs"), "{text}");
    }
}

fn range(name: &str, observer: Observer, weights_only: usize, integer: usize) -> RangeRow {
    RangeRow {
        range: name.into(),
        observer,
        weights_only: right(weights_only),
        integer: right(integer),
        everything: right(0),
    }
}

#[test]
fn equal_ranges_are_named_together_and_capped_ones_are_found() {
    let sigma = |n| Observer::NSigma { n, capped: true };
    let mut study = network("n", "a", None);
    study.ranges = vec![
        range("max-abs", Observer::MinMax, 900, 910),
        range("3σ, capped", sigma(3.0), 890, 910),
        range("1σ, capped", sigma(1.0), 700, 650),
    ];
    assert_eq!(
        ranges(&study),
        "With activations at max-abs, the most accurate int8 is that of max-abs and 3σ, capped (91.00 %, 1.00 points above float), \
         the least that of 1σ, capped (65.00 %, 25.00 points below float). \
         With only the weights quantized, 1σ is 19.00 points less accurate than 3σ."
    );
    study.ranges[2].weights_only = right(895);
    assert!(ranges(&study).ends_with("1σ is 0.50 points more accurate than 3σ."));
    study.ranges[2].weights_only = right(890);
    assert!(ranges(&study).ends_with("3σ and 1σ are right equally often."));
    study.ranges.truncate(2);
    assert_eq!(
        ranges(&study),
        "Every rule for the range is right equally often: max-abs and 3σ, capped (91.00 %, 1.00 points above float)."
    );
}

#[test]
fn the_larger_error_is_counted_whatever_the_cap() {
    let row = |tensor, observer, clipping, rounding| ErrorRow {
        layer: "fc".into(),
        tensor,
        range: String::new(),
        observer,
        sqnr: None,
        clipping,
        rounding,
    };
    let sigma = |n| Observer::NSigma { n, capped: true };
    let mut study = network("n", "a", None);
    study.errors = vec![
        row("weights", Observer::MinMax, None, Some(40.0)),
        row("weights", sigma(3.0), Some(20.0), Some(40.0)),
        row("weights", sigma(3.0), Some(40.0), Some(20.0)),
        row("activations", sigma(3.0), Some(40.0), None),
        row("activations", sigma(1.0), Some(30.0), Some(30.0)),
    ];
    assert_eq!(
        errors(&study),
        "Clipping is the larger of the two errors at max-abs, of the weights in 0 of 1 layers and of the activations in 0 of 0 tensors; \
         at 3σ, of the weights in 1 of 2 layers and of the activations in 1 of 1 tensors; \
         at 1σ, of the weights in 0 of 0 layers and of the activations in 0 of 1 tensors."
    );
}

#[test]
fn the_widest_gap_between_the_executors_is_named() {
    let run = |integer, simulated| Executed {
        weights_only: right(0),
        integer: right(integer),
        simulated: right(simulated),
    };
    let mut study = network("n", "a", Some(2));
    study.bits = vec![
        BitsRow {
            bits: 1,
            symmetric: run(100, 100),
            asymmetric: run(199, 199),
        },
        BitsRow {
            bits: 2,
            symmetric: run(500, 540),
            asymmetric: run(200, 190),
        },
    ];
    assert_eq!(
        bits(&study),
        "Every width is within one point of float from 2 bits on symmetric, from 2 bits on asymmetric. \
         Asymmetric codes of 1 bit are right for fewer than 20 % of the images: near guessing. \
         The integer and the simulated network are farthest apart with 2 bits symmetric, 4.00 points."
    );
    study.bits[1].symmetric = run(500, 500);
    study.bits[1].asymmetric = run(199, 199);
    study.least_bits.asymmetric = None;
    assert_eq!(
        bits(&study),
        "Every width is within one point of float from 2 bits on symmetric, from more than 16 bits on asymmetric. \
         Asymmetric codes of 1 and 2 bits are right for fewer than 20 % of the images: near guessing. \
         The integer and the simulated network are right equally often."
    );
}

#[test]
fn a_difference_without_a_reason_is_said() {
    let difference = |explained| DifferenceRow {
        layer: "fc".into(),
        position: vec![0],
        code: 1,
        expected: 2,
        to_boundary: 0.0,
        allowed: 0.0,
        explained,
    };
    let mut study = network("n", "a", None);
    let said = |study: &NetworkStudy, what: &str| {
        let text = simulation(study);
        assert!(text.contains(what), "{text}");
    };
    study.simulation = vec![SimulationRow {
        scheme: "s".into(),
        compared: 50,
        differences: vec![],
    }];
    said(&study, "of 50, none differs.");
    study.simulation[0].differences = vec![difference(true)];
    said(&study, "1 differ, each so near");
    study.simulation[0].differences.push(difference(false));
    said(&study, "2 differ, 1 of them without a reason.");
}

#[test]
fn training_may_lose() {
    let mut study = network("n", "a", None);
    let row = |bits, least_squares, aware| TrainingRow {
        bits,
        post_training: right(500),
        least_squares: right(least_squares),
        aware: right(aware),
    };
    study.training = vec![row(1, 400, 480), row(3, 610, 640)];
    let text = training(&study);
    assert!(
        text.ends_with("-2.00 with 1 bit and +3.00 with 3 bits."),
        "{text}"
    );
}

#[test]
fn sizes_are_shares_of_float32() {
    let row = |stored: &str, parameters, file, accuracy| StorageRow {
        stored: stored.into(),
        parameters,
        file,
        accuracy: right(accuracy),
        saved: vec![],
    };
    let mut study = network("n", "a", None);
    assert_eq!(storage(&study), "");
    study.storage = vec![
        row("float32", 4000, 4100, 900),
        row("int8", 1000, 1230, 898),
    ];
    assert_eq!(
        storage(&study),
        "The parameters of int8 take 25.0 % of float32's bytes, its file 30.0 %, and it is 0.20 points below float."
    );
    study.storage[1].accuracy = right(900);
    assert!(storage(&study).ends_with("and it is as accurate as float."));
}

#[test]
fn sets_that_are_equally_bad_are_all_named() {
    let row = |set: &str, images, narrowest, accuracy| CalibrationRow {
        set: set.into(),
        images,
        narrowest,
        accuracy: right(accuracy),
    };
    let mut study = network("n", "a", None);
    assert_eq!(calibration(&study), "");
    study.calibration = vec![
        row("the first", 1, 0.2, 880),
        row("all", 400, 1.0, 890),
        row("class 0 only", 40, 0.5, 880),
    ];
    assert_eq!(
        calibration(&study),
        "Least accurate, 2.00 points below float: calibrated on the first image and class 0 only (40 images). \
         Narrowest: the first image, whose range is 20 % of that of all images in one layer. \
         More images than these need the data set (--data)."
    );
    let before = study.calibration.split_off(1);
    assert!(calibration(&study).contains("calibrated on any of these. Narrowest: the first image"));
    study.calibration.extend(before);
    study
        .calibration
        .push(row("the first of the training set", 1000, 1.1, 900));
    assert!(calibration(&study).ends_with("in one layer."));
}

#[test]
fn a_network_without_relu_has_no_share_of_zeros() {
    let tensor = |name: &str, zero| TensorStatistics {
        name: name.into(),
        count: 1,
        min: -1.0,
        max: 2.0,
        mean: 0.0,
        deviation: 1.0,
        zero,
        outside: vec![],
        histogram: vec![],
    };
    let mut study = network("n", "a", None);
    study.activations = vec![tensor("input", 0.5), tensor("fc", 0.9)];
    assert_eq!(
        activations(&study),
        "Over the 400 calibration images: no ReLU follows a layer. The input reaches from -1.000 to 2.000."
    );
    study.activations.push(tensor("fc, after ReLU", 0.25));
    study.activations.push(tensor("fc2, after ReLU", 0.75));
    assert!(activations(&study).contains("ReLU makes 25 to 75 % of a layer's outputs 0."));
}
