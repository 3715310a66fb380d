//! `identify` of accumulators and codes.

use std::process::Output;

use crate::contracts::{npy, text, xtask};

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
    assert!(printed.contains(" of channel 0\n"), "{printed}");
    assert!(
        printed.contains("Nothing parts these, since they are equal on every accumulator"),
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
