//! The C compiler, and what it makes of an export.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;
use verify::export::{Artifact, publish};
use verify::model::{Model, Values};

/// What every export must compile with.
const STRICT: &[&str] = &[
    "-std=c99",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-pedantic",
    "-Wconversion",
    "-Wsign-conversion",
    "-Wshadow",
    "-Wstrict-prototypes",
];

/// Stops at the first thing that C leaves undefined, or that is outside of an array.
pub(crate) const SANITIZED: &[&str] = &[
    "-O1",
    "-fsanitize=undefined,address",
    "-fno-sanitize-recover=all",
];

/// The first of both, for programs that are large.
pub(crate) const DEFINED: &[&str] = &["-fsanitize=undefined", "-fno-sanitize-recover=all"];

/// A folder with an export and what was built in it.
pub(crate) struct Built {
    folder: TempDir,
}

/// Whether there is a C compiler; said loudly when not.
pub(crate) fn found() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let found = Command::new("gcc").arg("--version").output().is_ok();
        if !found {
            eprintln!("\nNOT TESTED: exports to C, for there is no C compiler `gcc`\n");
        }
        found
    })
}

/// What `gcc` says of an export with these flags.
pub(crate) fn compile(artifacts: &[Artifact], flags: &[&str]) -> (Built, Output) {
    let folder = tempfile::tempdir().unwrap();
    publish(artifacts, &folder.path().join("c")).unwrap();
    let output = Command::new("gcc")
        .current_dir(folder.path().join("c"))
        .args(flags)
        .args(["-o", "self_test", "self_test.c", "model.c"])
        .output();
    (Built { folder }, output.unwrap())
}

/// The same where it must compile, without a warning.
pub(crate) fn build(artifacts: &[Artifact], flags: &[&str]) -> Built {
    let (built, output) = compile(artifacts, &[STRICT, flags].concat());
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    built
}

impl Built {
    /// Asserts that it computes what the model does: each layer of the images in it, by the
    /// self-test's own words, and class and output of these.
    pub(crate) fn assert_is(&self, model: &Model, pixels: &Values) {
        let (passed, said) = self.run(&[], &[]);
        let name = format!("{}, {}, {}", model.network, model.scheme, model.contract);
        assert!(passed && said.starts_with("OK: "), "{name}: {said}");
        let trace = model.trace(pixels).unwrap();
        let output = trace.last().unwrap();
        let bytes: Vec<u8> = pixels.data().iter().map(|&pixel| pixel as u8).collect();
        let (passed, said) = self.run(&["-"], &bytes[1..]);
        assert!(
            !passed && said.contains("the last image has "),
            "{name}: {said}"
        );
        let (_, said) = self.run(&["-"], &bytes);
        assert_eq!(said.lines().count(), pixels.shape()[0], "{name}");
        for (image, line) in said.lines().enumerate() {
            let scores = output.item(image);
            let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let class = scores.iter().position(|&score| score == highest).unwrap();
            let codes: Vec<String> = (scores.iter()).map(|code| format!(" {code}")).collect();
            let expected = format!("{class} :{} : ", codes.concat());
            assert!(
                line.starts_with(&expected),
                "{name}: {line} is not {expected}"
            );
        }
    }

    /// What the self-test says with these arguments and this on its standard input.
    pub(crate) fn run(&self, arguments: &[&str], input: &[u8]) -> (bool, String) {
        let program = self.folder.path().join("c/self_test");
        let mut child = Command::new(Path::new(&program))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        // The output is small: the pipe's buffer holds it.
        pipe.write_all(input).unwrap();
        drop(pipe);
        let output = child.wait_with_output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&text).into_owned(),
        )
    }
}
