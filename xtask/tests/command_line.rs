//! The front door as a user meets it: exit codes, and errors that name the place.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use fixtures::Fixtures;
use fixtures::store::sha256;
use tempfile::TempDir;

fn xtask(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(arguments)
        .env_remove("KARAT_ISA")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A copy of what one network needs, to be tampered with.
struct Copied {
    folder: TempDir,
}

impl Copied {
    fn new() -> Self {
        let copied = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let root = Fixtures::committed_root();
        for part in ["networks/lab", "images/cifar10"] {
            copy(&root.join(part), &copied.path(part));
        }
        fs::copy(root.join("manifest.json"), copied.path("manifest.json")).unwrap();
        copied
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// Changes a file, and its hash in the manifest, as an exporter with a fault would.
    fn change(&self, file: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(self.path(file)).unwrap();
        let (old, old_length) = (sha256(&bytes), bytes.len());
        change(&mut bytes);
        fs::write(self.path(file), &bytes).unwrap();
        let manifest = fs::read_to_string(self.path("manifest.json")).unwrap();
        let entry =
            |hash: &str, length: usize| format!("\"sha256\": \"{hash}\", \"bytes\": {length}");
        assert!(manifest.contains(&entry(&old, old_length)));
        let new = manifest.replace(
            &entry(&old, old_length),
            &entry(&sha256(&bytes), bytes.len()),
        );
        fs::write(self.path("manifest.json"), new).unwrap();
    }

    fn verify(&self, more: &[&str]) -> Output {
        let root = self.folder.path().to_str().unwrap();
        xtask(&[&["verify", "--network", "lab", "--fixtures", root], more].concat())
    }

    /// An error's text with the folder's name taken out.
    fn error(&self, output: &Output) -> String {
        text(&output.stderr).replace(&self.folder.path().display().to_string(), "DIR")
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_network_that_agrees_exits_with_0() {
    let output = Copied::new().verify(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).ends_with('\n'));
    assert!(text(&output.stdout).contains("PASS: "));
    assert!(!output.stdout.contains(&0x1b), "colours outside a terminal");
}

#[test]
fn a_golden_code_changed_by_one_exits_with_1_and_names_the_layer() {
    let copied = Copied::new();
    copied.change("networks/lab/int8/conv2.weight.npy", |bytes| {
        let last = bytes.last_mut().unwrap();
        *last = last.wrapping_add(1);
    });
    let output = copied.verify(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("the first is network lab, layer conv2, weight codes"));

    let json = copied.verify(&["--format", "json"]);
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
        (&"conv2".into(), &"weight codes".into())
    );
    assert_eq!(failing[0]["position"], serde_json::json!([15, 5, 4, 4]));

    let junit = copied.verify(&["--format", "junit"]);
    assert_eq!(junit.status.code(), Some(1));
    assert_eq!(text(&junit.stdout).matches("<failure").count(), 1);
}

#[test]
fn a_golden_scale_changed_by_one_ulp_exits_with_1_and_names_the_layer() {
    let copied = Copied::new();
    copied.change("networks/lab/network.json", |bytes| {
        let old = text(bytes);
        let start = old.find("\"fc1\",\n    \"weight_scale\": \"0x").unwrap();
        let digit = start + "\"fc1\",\n    \"weight_scale\": \"0x".len() + 7;
        // One unit in the last hexadecimal digit of the bits.
        bytes[digit] = if bytes[digit] == b'0' { b'1' } else { b'0' };
    });
    let output = copied.verify(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("the first is network lab, layer fc1, s_W"));
}

#[test]
fn damaged_fixtures_exit_with_2_and_name_the_file() {
    let copied = Copied::new();
    let file = "networks/lab/int8/conv1.accumulators.npy";
    copied.change(file, |bytes| bytes.truncate(1000));
    let output = copied.verify(&[]);
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(copied.error(&output), @"error: DIR/networks/lab/int8/conv1.accumulators.npy: truncated: 872 bytes of data, expected 301056");

    let copied = Copied::new();
    let path = copied.path("networks/lab/int8/conv1.codes.npy");
    let mut bytes = fs::read(&path).unwrap();
    bytes[500] ^= 1;
    fs::write(&path, bytes).unwrap();
    let output = copied.verify(&[]);
    assert_eq!(output.status.code(), Some(2));
    let error = copied.error(&output);
    assert!(
        error.starts_with("error: DIR/networks/lab/int8/conv1.codes.npy: sha256 is "),
        "{error}"
    );
    assert!(error.contains("cargo xtask regen-fixtures"), "{error}");

    let copied = Copied::new();
    fs::write(copied.path("manifest.json"), "{").unwrap();
    let output = copied.verify(&[]);
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(copied.error(&output), @"error: DIR/manifest.json: EOF while parsing an object at line 1 column 1");

    let copied = Copied::new();
    fs::remove_file(copied.path("images/cifar10/pixels.npy")).unwrap();
    let output = copied.verify(&[]);
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(copied.error(&output), @"error: DIR/images/cifar10/pixels.npy: No such file or directory (os error 2)");

    let copied = Copied::new();
    copied.change("networks/lab/int8/conv1.codes.npy", |bytes| {
        let at = bytes.windows(5).position(|part| part == b"'|i1'").unwrap();
        bytes[at..at + 5].copy_from_slice(b"'|u1'");
    });
    let output = copied.verify(&[]);
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(copied.error(&output), @r#"error: DIR/networks/lab/int8/conv1.codes.npy: dtype "|u1", expected "|i1"; convert with numpy's astype"#);
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
        let copied = Copied::new();
        copied.change("networks/lab/network.json", |bytes| {
            let old = text(bytes);
            assert!(old.contains(from), "{from}");
            *bytes = old.replacen(from, to, 1).into_bytes();
        });
        let output = copied.verify(&[]);
        let error = copied.error(&output);
        assert_eq!(output.status.code(), Some(2), "{to}: {error}");
        assert!(
            error.starts_with("error: DIR/networks/lab/network.json: "),
            "{to}: {error}"
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
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let output = command
        .args(["verify", "--network", "lab"])
        .env("KARAT_ISA", "sse9")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(text(&output.stderr), @"error: KARAT_ISA=sse9 is unknown; it can be: scalar");
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
