//! `identify` of inputs, weights and biases.

use std::fs;
use std::path::Path;

use crate::contracts::{npy, text, xtask};

/// A convolution, 1×2×3×3 with a kernel of 2×2, stride 1, padding 1 on the rows only.
#[test]
fn accumulators_are_computed_of_codes_and_weights() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let bytes = |codes: &[i8]| {
        codes
            .iter()
            .flat_map(|code| code.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let input: Vec<i8> = (0..18).map(|i| i * 7 - 60).collect();
    let weight: Vec<i8> = (0..16).map(|i| 5 - i * 3).collect();
    npy(
        Path::new(&path("input.npy")),
        "|i1",
        "(1, 2, 3, 3)",
        &bytes(&input),
    );
    npy(
        Path::new(&path("weight.npy")),
        "|i1",
        "(2, 2, 2, 2)",
        &bytes(&weight),
    );
    let bias: Vec<u8> = [100i32, -7]
        .iter()
        .flat_map(|bias| bias.to_le_bytes())
        .collect();
    npy(Path::new(&path("bias.npy")), "<i4", "(2,)", &bias);
    // Each sum on its own, by the definition.
    let mut codes = Vec::new();
    for o in 0..2i32 {
        for y in 0..4i32 {
            for x in 0..2i32 {
                let mut acc = [100, -7][o as usize];
                for (c, ky, kx) in (0..8).map(|tap| (tap / 4, tap / 2 % 2, tap % 2)) {
                    let row = y + ky - 1;
                    if (0..3).contains(&row) {
                        let w = i32::from(weight[(o * 8 + c * 4 + ky * 2 + kx) as usize]) - 2;
                        acc += w * (i32::from(input[(c * 9 + row * 3 + x + kx) as usize]) + 3);
                    }
                }
                codes.push((f64::from(acc) / 64.0).round_ties_even() as i8);
            }
        }
    }
    npy(
        Path::new(&path("out.npy")),
        "|i1",
        "(1, 2, 4, 2)",
        &bytes(&codes),
    );
    let mut arguments: Vec<String> = "identify --input-zero-point -3 --weight-zero-point 2 --padding 1,0 --input-scale 0.25 --weight-scale 0.25 --output-scale 4"
        .split(' ')
        .map(str::to_owned)
        .collect();
    for name in ["input", "weight", "bias", "out"] {
        arguments.extend([format!("--{name}"), path(&format!("{name}.npy"))]);
    }
    arguments.extend(["--directed".to_owned(), path("directed")]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = xtask(&arguments);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    assert!(
        text(&output.stdout).contains("pytorch-fbgemm = "),
        "{}",
        text(&output.stdout)
    );
    // One wrong parameter: none of them.
    for (option, wrong, exit) in [
        ("--input-zero-point", "4", 1),
        ("--weight-zero-point", "1", 1),
        ("--padding", "0,1", 2),
        ("--input-zero-point", "128", 2),
    ] {
        let at = arguments
            .iter()
            .position(|argument| *argument == option)
            .unwrap();
        let mut changed = arguments.clone();
        changed[at + 1] = wrong;
        assert_eq!(
            xtask(&changed).status.code(),
            Some(exit),
            "{option} {wrong}"
        );
    }
    // What was written identifies a contract by its own codes.
    let bytes = fs::read(path("directed/accumulators.npy")).unwrap();
    let accumulators = fixtures::npy::parse::<i32>(&bytes).unwrap();
    assert_eq!(accumulators.shape()[1], 1);
    let channel = quant::contracts::Channel::int8(0.25, 0.25, 4.0, 0);
    let contract = quant::contracts::find("litert-optimized").unwrap();
    let mut codes = vec![0; accumulators.data().len()];
    contract
        .prepare(&channel)
        .unwrap()
        .requantize_all(accumulators.data(), &mut codes);
    let codes: Vec<u8> = codes.iter().map(|&code| code as i8 as u8).collect();
    let shape = format!("({}, 1)", codes.len());
    npy(Path::new(&path("theirs.npy")), "|i1", &shape, &codes);
    let output = xtask(&[
        "identify",
        "--acc",
        &path("directed/accumulators.npy"),
        "--out",
        &path("theirs.npy"),
        "--input-scale",
        "0.25",
        "--weight-scale",
        "0.25",
        "--output-scale",
        "4",
    ]);
    let printed = text(&output.stdout);
    assert!(printed.contains("  litert-optimized\n"), "{printed}");
    assert!(
        !printed.contains("fbgemm") && !printed.contains("litert-reference"),
        "{printed}"
    );
}

#[test]
fn what_accumulators_cannot_be_computed_of_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    npy(Path::new(&path("input.npy")), "|i1", "(1, 2)", &[1, 2]);
    npy(Path::new(&path("weight.npy")), "|i1", "(1, 2)", &[3, 4]);
    npy(Path::new(&path("three.npy")), "|i1", "(1, 3)", &[3, 4, 5]);
    npy(Path::new(&path("out.npy")), "|i1", "(1, 1)", &[1]);
    npy(Path::new(&path("bias.npy")), "<f4", "(2,)", &[0; 8]);
    npy(
        Path::new(&path("most.npy")),
        "<i4",
        "(1,)",
        &i32::MAX.to_le_bytes(),
    );
    for (weight, bias, message) in [
        ("three", None, "input and weight do not fit"),
        (
            "weight",
            Some("bias"),
            "2 values of the bias, but 1 output channels",
        ),
        (
            "weight",
            Some("most"),
            "accumulator 2147483658 does not fit int32",
        ),
        ("missing", None, "missing.npy"),
        ("wide", None, "wide.npy"),
    ] {
        let files = ["input", weight, "out"].map(|name| path(&format!("{name}.npy")));
        let mut arguments = vec![
            "identify",
            "--input",
            &files[0],
            "--weight",
            &files[1],
            "--out",
            &files[2],
            "--input-scale",
            "1",
            "--weight-scale",
            "1",
            "--output-scale",
            "1",
        ];
        let bias = bias.map(|name| path(&format!("{name}.npy")));
        if let Some(bias) = &bias {
            arguments.extend(["--bias", bias]);
        }
        let output = xtask(&arguments);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
        let printed = text(&output.stderr);
        assert!(printed.contains(message), "{printed}");
    }
}

/// A bias in real units is for each contract to add: PyTorch's engines do, in their ways.
#[test]
fn a_float_bias_is_left_to_the_contracts() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    npy(
        Path::new(&path("input.npy")),
        "|u1",
        "(3, 1)",
        &[1, 100, 255],
    );
    npy(Path::new(&path("weight.npy")), "|i1", "(2, 1)", &[10, 246]);
    let bias: Vec<u8> = [0.3f32, -0.7]
        .iter()
        .flat_map(|bias| bias.to_le_bytes())
        .collect();
    npy(Path::new(&path("bias.npy")), "<f4", "(2,)", &bias);
    // (10·x/100 + 0.3)/0.1 + 100 and (−10·x/100 − 0.7)/0.1 + 100.
    npy(
        Path::new(&path("out.npy")),
        "|u1",
        "(3, 2)",
        &[104, 92, 203, 0, 255, 0],
    );
    let files = ["input", "weight", "bias", "out"].map(|name| path(&format!("{name}.npy")));
    let output = xtask(&[
        "identify",
        "--input",
        &files[0],
        "--weight",
        &files[1],
        "--bias",
        &files[2],
        "--out",
        &files[3],
        "--input-scale",
        "0.1",
        "--weight-scale",
        "0.1",
        "--output-scale",
        "0.1",
        "--output-zero-point",
        "100",
    ]);
    let printed = text(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{printed}{}",
        text(&output.stderr)
    );
    assert!(
        printed.contains("  pytorch-fbgemm = pytorch-x86-linear\n"),
        "{printed}"
    );
    assert!(!printed.contains("litert"), "{printed}");
}
