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
    assert!(printed.contains(" of channel 0\n"), "{printed}");
    assert!(
        printed.contains("  and nothing, since they are equal on every accumulator"),
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

/// Ends well; what it printed.
fn contracts(arguments: &[&str]) -> String {
    let output = xtask(&[&["contracts"], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn the_matrices_have_every_contract_and_every_class() {
    let printed = contracts(&["--channels", "4"]);
    for contract in quant::contracts::ALL {
        assert!(printed.contains(contract.name), "{contract:?}");
        assert!(printed.contains(contract.formula), "{contract:?}");
        assert!(printed.contains(contract.source), "{contract:?}");
    }
    let rows = printed
        .lines()
        .filter(|line| line.starts_with("24 pulp-nn-bn-quant "));
    assert_eq!(rows.count(), 3, "{printed}");
    assert!(!printed.contains("(none"), "{printed}");
    assert!(printed.lines().all(|line| line == line.trim_end()));
    insta::assert_snapshot!("contracts", printed);
}

#[test]
fn one_contract_is_shown_alone() {
    insta::assert_snapshot!(
        "contract_q31_double",
        contracts(&["--name", "tflite-micro"])
    );
    insta::assert_snapshot!(
        "contract_idealized",
        contracts(&["--name", "power-of-two-rounded"])
    );
    for contract in quant::contracts::ALL {
        let printed = contracts(&["--name", contract.name]);
        for line in contract.latex.lines() {
            assert!(printed.contains(line.trim_start()), "{contract:?}");
        }
    }
    let output = xtask(&["contracts", "--name", "tflite"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("tflite-micro"));
    let output = xtask(&["contracts", "--name", "nemo", "--out", "nowhere"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn the_page_needs_nothing_else_and_has_every_contract() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new").join("folder");
    let arguments = ["--channels", "2", "--out", out.to_str().unwrap()];
    let printed = contracts(&arguments);
    let names = ["contracts.html", "contracts.json", "contracts.md"];
    let [html, json, markdown] = names.map(|name| {
        assert!(
            printed.contains(out.join(name).to_str().unwrap()),
            "{printed}"
        );
        fs::read_to_string(out.join(name)).unwrap()
    });
    // Written beside, then moved: nothing is left over, and a second run replaces the files.
    fs::write(out.join(names[2]), "old").unwrap();
    contracts(&arguments);
    let mut there: Vec<String> = (fs::read_dir(&out).unwrap())
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    there.sort();
    assert_eq!(there, names);
    assert_eq!(fs::read_to_string(out.join(names[2])).unwrap(), markdown);

    for load in [
        "://", "src=", "@import", "url(", "<script", "<link", "<iframe",
    ] {
        assert!(!html.contains(load), "{load}");
    }
    let parsed: serde_json::Value = serde_json::from_str(&json).unwrap();
    let all = (parsed["classes"].as_array().unwrap().iter())
        .flat_map(|class| class["contracts"].as_array().unwrap());
    let names: Vec<&str> = all
        .map(|contract| contract["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), quant::contracts::ALL.len());
    for contract in quant::contracts::ALL {
        assert!(
            html.contains(&format!("<strong>{}</strong>", contract.name)),
            "{contract:?}"
        );
        assert!(
            markdown.contains(&format!("- `{}`: ", contract.name)),
            "{contract:?}"
        );
        assert!(names.contains(&contract.name), "{contract:?}");
    }
    // Each formula is mathematics, none is shown as its source alone.
    let formulas = html.matches("<summary>LaTeX</summary>").count();
    assert_eq!(
        html.matches("<math").count(),
        formulas + quant::contracts::SYMBOLS.len()
    );
    assert_eq!(html.matches("<tr>").count(), 3 * 25);
    assert_eq!(html.matches("class=\"diagonal\"").count(), 3 * 24);
    assert_eq!(
        parsed["populations"][2]["pairs"].as_array().unwrap().len(),
        276
    );
    insta::assert_snapshot!("contracts_markdown", markdown);
}

#[test]
fn the_readme_counts_what_the_matrices_count() {
    let printed = contracts(&[]);
    let printed: Vec<&str> = printed.split_whitespace().collect();
    let counts: Vec<&str> = (printed.windows(8))
        .filter(|words| words[3..] == ["differ,", "and", "it", "notices", "0."])
        .map(|words| words[0])
        .collect();
    let readme = include_str!("../../README.md").replace('\n', " ");
    let sentence = format!(
        "{} of 36 that differ on generic scales and {} of 36 near ties",
        counts[0], counts[2]
    );
    assert_eq!(counts.len(), 3);
    assert!(readme.contains(&sentence), "{sentence}");
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
