//! `emit`, a tool that answers, `verify --outputs`, shards and their merge: as a user does it.

use std::fs;
use std::path::Path;

use crate::front_door::{text, xtask};

/// A trial of the quickest network, answered with the right tensors.
fn answered(folder: &Path) {
    let made = xtask(&[
        "emit",
        "--network",
        "mlp-mnist",
        "--images",
        "3",
        "--out",
        folder.to_str().unwrap(),
    ]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    for case in fs::read_dir(folder.join("expected")).unwrap() {
        let case = case.unwrap();
        for file in fs::read_dir(case.path()).unwrap() {
            let file = file.unwrap();
            let to = folder.join("outputs").join(case.file_name());
            fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}

/// In these cases one layer's file holds another's.
fn confuse(folder: &Path, cases: &[&str], from: &str, to: &str) {
    for case in cases {
        let expected = folder.join("expected");
        let from = match *case {
            // What a layer by itself is given is the other's output.
            "layer-relu1" => expected.join("layer-fc1").join(from),
            "directed-relu1" => folder.join("cases").join(case).join("input.npy"),
            case => expected.join(case).join(from),
        };
        fs::copy(from, folder.join("outputs").join(case).join(to)).unwrap();
    }
}

#[test]
fn right_answers_pass_and_a_wrong_file_is_named() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("trial");
    answered(&folder);
    let outputs = folder.to_str().unwrap();
    let passed = xtask(&["verify", "--outputs", outputs]);
    assert_eq!(passed.status.code(), Some(0), "{}", text(&passed.stderr));
    assert!(
        text(&passed.stdout)
            .lines()
            .last()
            .unwrap()
            .starts_with("equal: ")
    );

    // A layer that was not requantized shows accumulators where codes belong.
    let cases = ["network", "layer-fc3", "directed-fc3"];
    confuse(&folder, &cases, "fc3.accumulators.npy", "fc3.npy");
    let differs = xtask(&["verify", "--outputs", outputs]);
    assert_eq!(differs.status.code(), Some(1));
    let said = text(&differs.stdout);
    assert!(said.contains("last-layer-unrounded"), "{said}");
    assert!(
        said.lines()
            .last()
            .unwrap()
            .starts_with("DIFFERS first in mlp-mnist, fc3")
    );

    // Of a layer that is not there nothing is said; a file that is none is a problem.
    for case in cases {
        fs::remove_file(folder.join("outputs").join(case).join("fc3.npy")).unwrap();
    }
    let right = xtask(&["verify", "--outputs", outputs]);
    assert_eq!(right.status.code(), Some(0));
    fs::write(folder.join("outputs/network/fc9.npy"), b"x").unwrap();
    let surplus = xtask(&["verify", "--outputs", outputs]);
    assert_eq!(surplus.status.code(), Some(1));
    assert!(text(&surplus.stdout).contains("fc9.npy"));
}

#[test]
fn a_folder_that_is_used_is_not_overwritten() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("trial");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("mine"), "kept").unwrap();
    let refused = xtask(&[
        "emit",
        "--network",
        "lab",
        "--out",
        folder.to_str().unwrap(),
    ]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("give a new folder"));
    assert_eq!(fs::read_to_string(folder.join("mine")).unwrap(), "kept");
    let empty = xtask(&["verify", "--outputs", folder.to_str().unwrap()]);
    assert_eq!(empty.status.code(), Some(2));
    assert!(
        text(&empty.stderr).contains("trial.json"),
        "{}",
        text(&empty.stderr)
    );
}

#[test]
fn an_export_is_whole_and_says_what_to_do_next() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("hex");
    let export = |more: &[&str]| {
        let out = folder.to_str().unwrap();
        xtask(
            &[
                &["export", "--network", "lab", "--images", "1", "--out", out],
                more,
            ]
            .concat(),
        )
    };
    let word = [
        "--format",
        "hex",
        "--word",
        "8",
        "--row-padding",
        "4",
        "--bench",
        "conv1",
    ];
    let made = export(&word);
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    assert!(text(&made.stdout).contains("iverilog -o tb tb_*.v"));
    let weights = fs::read_to_string(folder.join("weights.hex")).unwrap();
    let words: Vec<&str> = weights
        .lines()
        .filter(|line| !line.starts_with("//"))
        .collect();
    // A row of five is eight words of eight bits.
    assert_eq!(words[5..8], ["00", "00", "00"]);
    assert!(folder.join("tb_conv1.v").exists());

    for (options, said) in [
        (&word[..], "exists and is not empty"),
        (&["--format", "tar"], "there is no format \"tar\""),
        (
            &["--format", "npy", "--endian", "big"],
            "--endian belongs to --format hex, not to npy",
        ),
        (
            &["--format", "hex", "--numbers", "scientific"],
            "--numbers belongs to --format csv",
        ),
        (
            &["--format", "hex", "--word", "8", "--endian", "big"],
            "of --word 8 there is one",
        ),
        (
            &["--format", "hex", "--row-padding", "0"],
            "expected 1 to 4096",
        ),
    ] {
        let refused = export(options);
        assert_eq!(refused.status.code(), Some(2), "{options:?}");
        let error = text(&refused.stderr);
        assert!(error.contains(said), "{error}");
    }
    // Nothing is left of an export that fails.
    let other = scratch.path().join("other");
    let refused = xtask(&[
        "export",
        "--network",
        "lab",
        "--format",
        "npy",
        "--images",
        "0",
        "--out",
        other.to_str().unwrap(),
    ]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("0 images: give 1 to 1000"));
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1);
}

#[test]
fn shards_merge_to_what_one_run_says() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("trial");
    answered(&folder);
    let cases = ["network", "layer-relu1", "directed-relu1"];
    confuse(&folder, &cases, "fc1.npy", "relu1.npy");
    let outputs = folder.to_str().unwrap();
    let mut files = Vec::new();
    for shard in ["1/3", "2/3", "3/3"] {
        let run = xtask(&[
            "verify",
            "--outputs",
            outputs,
            "--shard",
            shard,
            "--format",
            "json",
        ]);
        let path = scratch.path().join(format!("{}.json", files.len()));
        fs::write(&path, run.stdout).unwrap();
        files.push(path.to_str().unwrap().to_owned());
    }
    let mut arguments = vec!["verify", "--format", "junit", "--merge"];
    arguments.extend(files.iter().map(String::as_str));
    let merged = xtask(&arguments);
    let whole = xtask(&["verify", "--outputs", outputs, "--format", "junit"]);
    assert_eq!(merged.status.code(), Some(1), "{}", text(&merged.stderr));
    assert_eq!(text(&merged.stdout), text(&whole.stdout));
    assert!(text(&whole.stdout).contains("relu-missing"));

    arguments.push(&files[0]);
    let twice = xtask(&arguments);
    assert_eq!(twice.status.code(), Some(2));
    assert!(text(&twice.stderr).contains("give each shard once"));
    for shard in ["0/3", "4/3", "x", "1/0"] {
        let refused = xtask(&["verify", "--outputs", outputs, "--shard", shard]);
        assert_eq!(refused.status.code(), Some(2), "{shard}");
    }
}
