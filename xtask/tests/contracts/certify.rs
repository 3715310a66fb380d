//! `certify` over a range.

use crate::contracts::{text, xtask};

#[test]
fn every_accumulator_of_a_range_is_certified() {
    let output = xtask(&[
        "certify",
        "--multiplier",
        "0.25",
        "--from",
        "-2000",
        "--to",
        "2000",
    ]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    insta::assert_snapshot!(text(&output.stdout));
}

#[test]
fn equal_contracts_are_certified_equal() {
    let output = xtask(&[
        "certify",
        "tflite-micro",
        "cmsis-nn",
        "--input-scale",
        "0.1",
        "--weight-scale",
        "0.01",
        "--output-scale",
        "0.3",
        "--output-zero-point",
        "-3",
        "--from",
        "2147480000",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(
        text(&output.stdout),
        "3648 accumulators, 2147480000 to 2147483647.\n\nEqual on every one of them:\n  tflite-micro = cmsis-nn\n"
    );
}

#[test]
fn the_common_domain_is_said() {
    let output = xtask(&[
        "certify",
        "pytorch-fbgemm",
        "litert-xnnpack",
        "--multiplier",
        "3e6",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert!(
        printed.starts_with("Compared from -715 to 715: beyond, some of these"),
        "{printed}"
    );
}

#[test]
fn what_cannot_be_certified_is_an_error() {
    for (arguments, message) in [
        (
            &["no-such", "nemo", "--multiplier", "1"][..],
            "no-such is no contract",
        ),
        (
            &["nemo", "--multiplier", "0.5"],
            "give two contracts or more",
        ),
        (
            &["nemo", "cmsis-nn", "--multiplier", "0"],
            "must be positive and finite",
        ),
        (
            &["gemmlowp", "cmsis-nn", "--multiplier", "4"],
            "shifts to the right only",
        ),
        (
            &["--multiplier", "0.5", "--from", "3", "--to", "2"],
            "no accumulator lies between 3 and 2",
        ),
        (&["nemo", "cmsis-nn"], "--input-scale"),
    ] {
        let output = xtask(&[&["certify"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let printed = text(&output.stderr);
        assert!(printed.contains(message), "{printed}");
    }
}
