//! `identify` and `contracts` as a user meets them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn xtask(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(arguments)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn npy(path: &Path, descr: &str, shape: &str, data: &[u8]) {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    let bytes = [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat();
    fs::write(path, bytes).unwrap();
}

/// Runs `identify` on [N, 2] values, one scale or two.
fn identify(acc: &[i32], out: &[i8], more: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let [acc_path, out_path] = ["acc.npy", "out.npy"].map(|name| folder.path().join(name));
    let bytes: Vec<u8> = acc.iter().flat_map(|acc| acc.to_le_bytes()).collect();
    npy(&acc_path, "<i4", &format!("({}, 2)", acc.len() / 2), &bytes);
    let bytes: Vec<u8> = out.iter().flat_map(|out| out.to_le_bytes()).collect();
    npy(&out_path, "|i1", &format!("({}, 2)", out.len() / 2), &bytes);
    let files = [
        "identify",
        "--acc",
        acc_path.to_str().unwrap(),
        "--out",
        out_path.to_str().unwrap(),
    ];
    xtask(&[&files, more].concat())
}

const QUARTER: [&str; 6] = [
    "--input-scale",
    "0.25",
    "--weight-scale",
    "1",
    "--output-scale",
    "1",
];

#[test]
fn codes_name_their_contract() {
    // 5/4 rounds to 2 where it is rounded twice; −6/4 to −2 where the second is away from zero.
    let output = identify(&[5, -6, -7, 2], &[2, -2, -2, 1], &QUARTER);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert!(
        printed.starts_with("named: all 4 codes, exactly:\n"),
        "{printed}"
    );
    assert!(
        printed.contains(
            "  litert-reference-conv = tflite-micro = gemmlowp = cmsis-nn = tosa-scale32-double\n"
        ),
        "{printed}"
    );
    assert!(!printed.contains("litert-optimized"), "{printed}");
}

#[test]
fn what_is_equal_on_the_codes_is_told_apart_by_an_accumulator() {
    let output = identify(&[8, 16, -8, 4], &[2, 4, -2, 1], &QUARTER);
    assert_eq!(output.status.code(), Some(0));
    let printed = text(&output.stdout);
    assert!(
        printed.contains("These codes do not tell them apart."),
        "{printed}"
    );
    assert!(
        printed.contains(" of channel 0: pytorch-fbgemm gives "),
        "{printed}"
    );
    assert!(
        printed.contains("equal here, on every accumulator"),
        "{printed}"
    );
}

#[test]
fn each_channel_has_its_scale() {
    let mut scales = QUARTER;
    scales[3] = "1,0.5";
    let output = identify(&[8, 8, 400, 400], &[2, 1, 100, 50], &scales);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let output = identify(&[8, 8, 400, 400], &[1, 2, 50, 100], &scales);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn codes_of_no_known_contract_exit_with_1_and_name_the_nearest() {
    let output = identify(&[8, 16, -8, 4], &[2, 4, -2, 3], &QUARTER);
    assert_eq!(output.status.code(), Some(1));
    let printed = text(&output.stdout);
    assert!(
        printed.starts_with("unknown: no known contract gives these 4 codes\n"),
        "{printed}"
    );
    assert!(
        printed.contains("1 differ by at most 2; the first at 3"),
        "{printed}"
    );
    assert!(
        printed.contains("the codes given are always greater"),
        "{printed}"
    );
}

#[test]
fn unusable_input_exits_with_2() {
    let mut zero = QUARTER;
    zero[1] = "0";
    let mut three = QUARTER;
    three[3] = "1,2,3";
    let mut word = QUARTER;
    word[3] = "one";
    for (more, reason) in [
        (zero, "the input scale must be positive"),
        (three, "3 weight scales, but axis 1"),
        (word, "\"one\" is no number"),
    ] {
        let output = identify(&[1, 2], &[1, 2], &more);
        assert_eq!(output.status.code(), Some(2), "{more:?}");
        assert!(
            text(&output.stderr).contains(reason),
            "{}",
            text(&output.stderr)
        );
    }
    let output = identify(&[1, 2], &[1, 2, 3, 4], &QUARTER);
    assert_eq!(output.status.code(), Some(2));
    let output = identify(&[], &[], &QUARTER);
    assert_eq!(output.status.code(), Some(2));
    let files = ["identify", "--acc", "nowhere.npy", "--out", "nowhere.npy"];
    let output = xtask(&[&files[..], &QUARTER].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("nowhere.npy"));
}

#[test]
fn the_table_has_every_contract_and_every_class() {
    let output = xtask(&["contracts", "--channels", "8"]);
    assert_eq!(output.status.code(), Some(0));
    let printed = text(&output.stdout);
    for contract in quant::contracts::ALL {
        assert!(printed.contains(contract.name), "{contract:?}");
        assert!(printed.contains(contract.formula), "{contract:?}");
    }
    assert!(printed.contains("24 pulp-nn-bn-quant"), "{printed}");
}

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
