//! The front door as a user meets it: exit codes, and errors that name the place.

use std::fs;
use std::process::{Command, Output};

use crate::common::Copied;
use crate::front_door::{text, xtask};

/// What `lab` needs, to be tampered with.
fn lab() -> Copied {
    Copied::new(&["networks/lab", "images/cifar10"])
}

/// What `mlp-mnist` needs: the quickest to verify, where any network shows the same.
fn mlp() -> Copied {
    Copied::new(&["networks/mlp-mnist", "images/mnist"])
}

fn verify(copied: &Copied, more: &[&str]) -> Output {
    verify_network("lab", copied, more)
}

fn verify_network(network: &str, copied: &Copied, more: &[&str]) -> Output {
    let root = copied.root().to_str().unwrap();
    let arguments = ["verify", "--network", network, "--fixtures", root];
    xtask(&[&arguments, more].concat())
}

/// An error's text with the folder's name taken out.
fn error(copied: &Copied, output: &Output) -> String {
    text(&output.stderr).replace(&copied.root().display().to_string(), "DIR")
}

#[test]
fn a_network_that_agrees_exits_with_0() {
    let output = verify(&lab(), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).ends_with('\n'));
    assert!(text(&output.stdout).contains("PASS: "));
    assert!(!output.stdout.contains(&0x1b), "colours outside a terminal");
}

#[test]
fn a_golden_code_changed_by_one_exits_with_1_and_names_the_layer() {
    let copied = mlp();
    copied.change("networks/mlp-mnist/int8/fc2.weight.npy", |bytes| {
        let last = bytes.last_mut().unwrap();
        *last = last.wrapping_add(1);
    });
    let output = verify_network("mlp-mnist", &copied, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stdout).contains("the first is network mlp-mnist, layer fc2, weight codes")
    );

    let json = verify_network("mlp-mnist", &copied, &["--format", "json"]);
    assert_eq!(json.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let rows = report["rows"].as_array().unwrap();
    let failing: Vec<_> = rows
        .iter()
        .filter(|row| row["result"] == "differs")
        .collect();
    assert_eq!(failing.len(), 1);
    assert_eq!(
        (&failing[0]["layer"], &failing[0]["claim"]),
        (&"fc2".into(), &"weight codes".into())
    );
    assert_eq!(failing[0]["position"], serde_json::json!([63, 127]));

    let junit = verify_network("mlp-mnist", &copied, &["--format", "junit"]);
    assert_eq!(junit.status.code(), Some(1));
    assert_eq!(text(&junit.stdout).matches("<failure").count(), 1);
}

#[test]
fn a_golden_scale_changed_by_one_ulp_exits_with_1_and_names_the_layer() {
    let copied = mlp();
    copied.change("networks/mlp-mnist/network.json", |bytes| {
        let old = text(bytes);
        let start = old.find("\"fc1\",\n    \"weight_scale\": \"0x").unwrap();
        let digit = start + "\"fc1\",\n    \"weight_scale\": \"0x".len() + 7;
        // One unit in the last hexadecimal digit of the bits.
        bytes[digit] = if bytes[digit] == b'0' { b'1' } else { b'0' };
    });
    let output = verify_network("mlp-mnist", &copied, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("the first is network mlp-mnist, layer fc1, s_W"));
}

#[test]
fn damaged_fixtures_exit_with_2_and_name_the_file() {
    let copied = lab();
    let file = "networks/lab/int8/conv1.accumulators.npy";
    copied.change(file, |bytes| bytes.truncate(1000));
    let output = verify(&copied, &[]);
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(error(&copied, &output), @"error: DIR/networks/lab/int8/conv1.accumulators.npy: truncated: 872 bytes of data, expected 301056");

    let copied = lab();
    let path = copied.path("networks/lab/int8/conv1.codes.npy");
    let mut bytes = fs::read(&path).unwrap();
    bytes[500] ^= 1;
    fs::write(&path, bytes).unwrap();
    let output = verify(&copied, &[]);
    assert_eq!(output.status.code(), Some(2));
    let message = error(&copied, &output);
    assert!(
        message.starts_with("error: DIR/networks/lab/int8/conv1.codes.npy: sha256 is "),
        "{message}"
    );
    assert!(message.contains("cargo xtask regen-fixtures"), "{message}");

    let copied = lab();
    fs::write(copied.path("manifest.json"), "{").unwrap();
    let output = verify(&copied, &[]);
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(error(&copied, &output), @"error: DIR/manifest.json: EOF while parsing an object at line 1 column 1");

    let copied = lab();
    fs::remove_file(copied.path("images/cifar10/pixels.npy")).unwrap();
    let output = verify(&copied, &[]);
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(error(&copied, &output), @"error: DIR/images/cifar10/pixels.npy: No such file or directory (os error 2)");

    let copied = lab();
    copied.change("networks/lab/int8/conv1.codes.npy", |bytes| {
        let at = bytes.windows(5).position(|part| part == b"'|i1'").unwrap();
        bytes[at..at + 5].copy_from_slice(b"'|u1'");
    });
    let output = verify(&copied, &[]);
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(error(&copied, &output), @r#"error: DIR/networks/lab/int8/conv1.codes.npy: dtype "|u1", expected "|i1"; convert with numpy's astype"#);
}

#[test]
fn a_hostile_description_is_an_error() {
    for (from, to) in [
        // A padding that would ask for all memory, a group count and a stride that mean nothing.
        (
            "\"padding\": [\n    0,\n    0\n   ]",
            "\"padding\": [\n    900000000,\n    0\n   ]",
        ),
        ("\"groups\": 1", "\"groups\": 0"),
        ("\"stride\": [\n    1,", "\"stride\": [\n    0,"),
        ("\"weight_scale\": \"0x", "\"weight_scale\": \"0xff800000"),
        ("\"weight_scale\": \"0x3", "\"weight_scale\": \"0xb"),
        ("\"op\": \"relu\"", "\"op\": \"gelu\""),
    ] {
        let copied = lab();
        copied.replace("networks/lab/network.json", from, to);
        let output = verify(&copied, &[]);
        let message = error(&copied, &output);
        assert_eq!(output.status.code(), Some(2), "{to}: {message}");
        assert!(
            message.starts_with("error: DIR/networks/lab/network.json: "),
            "{to}: {message}"
        );
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    for arguments in [
        &["verify", "--network", "resnet"][..],
        &["verify", "--format", "yaml"],
        &["verify", "--fixtures", "does/not/exist"],
        &["verify", "--network", "lab", "--data", "does/not/exist"],
        &["regen-fixtures", "--retrain"],
        &["nonsense"],
        &[],
    ] {
        let output = xtask(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn an_unknown_isa_exits_with_2_and_names_the_known_ones() {
    for verb in ["verify", "report"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        let output = command
            .args([verb, "--network", "lab"])
            .env("KARAT_ISA", "sse9")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{verb}");
        insta::allow_duplicates!(
            insta::assert_snapshot!(text(&output.stderr), @"error: KARAT_ISA=sse9 is unknown; it can be: portable, avx2, avx_vnni, avx512_vnni, neon, neon_dotprod")
        );
    }
}

#[test]
fn a_python_that_is_not_there_exits_with_3() {
    let output = xtask(&["regen-fixtures", "--check", "--python", "does/not/exist"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("does/not/exist"));
}

#[test]
fn help_explains_the_verbs_and_the_exit_codes() {
    let output = xtask(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(text(&output.stdout));
}

#[test]
fn doctor_knows_the_committed_fixtures() {
    let output = xtask(&["doctor"]);
    assert_eq!(output.status.code(), Some(0));
    let found = text(&output.stdout);
    assert!(found.contains("hashes right, made by torch"), "{found}");
    for verb in ["verify", "regen-fixtures", "mutants", "fuzz"] {
        assert!(found.contains(verb), "{verb}");
    }
}

#[test]
fn a_report_is_three_pages_and_the_models_and_replaces_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("deep/report");
    let arguments = ["report", "--network", "mlp-mnist", "--images", "2", "--out"];
    let arguments = [&arguments[..], &[out.to_str().unwrap()]].concat();
    fs::create_dir_all(&out).unwrap();
    fs::write(out.join("report.md"), "old").unwrap();
    fs::create_dir(out.join("models")).unwrap();
    fs::write(
        out.join("models/lab.int2.safetensors"),
        "of an earlier report",
    )
    .unwrap();
    let output = xtask(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let names = |folder: &std::path::Path| {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(
        names(&out),
        ["models", "report.html", "report.json", "report.md"]
    );
    assert_eq!(text(&output.stdout).lines().count(), 4);
    let models = names(&out.join("models"));
    assert_eq!(models.len(), 11);
    assert_eq!(models[3], "mlp-mnist.int3-asymmetric.safetensors");
    let saved = fs::read(out.join("models/mlp-mnist.int8.safetensors")).unwrap();
    let network = verify::model_file::load(&saved).unwrap();
    assert_eq!(network.network().name(), "mlp-mnist");
    assert!(
        fs::read_to_string(out.join("report.md"))
            .unwrap()
            .contains("2 test images")
    );
}

#[test]
fn a_report_that_cannot_be_written_says_so_before_it_measures() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let output = xtask(&["report", "--out", file.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("cannot write"));
    let output = xtask(&["report", "--images", "0"]);
    assert_eq!(output.status.code(), Some(2));
    let output = xtask(&["report", "--network", "mlp-mnist", "--data", "nowhere"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("t10k-images-idx3-ubyte"));
}
