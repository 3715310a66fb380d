//! Derivations as a student reads them.

use std::process::Command;

use rstest::rstest;

fn derive(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("derive")
        .args(arguments)
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[rstest]
fn of_lab_with_its_numbers(#[values("relative", "multiply", "absolute")] convention: &str) {
    let text = derive(&["--network", "lab", "--convention", convention]);
    insta::assert_snapshot!(format!("lab_{convention}"), text);
}

#[rstest]
fn of_any_depth(
    #[values("relative", "multiply", "absolute")] convention: &str,
    #[values(false, true)] zero_points: bool,
) {
    let mut arguments = vec!["--layers", "2", "--convention", convention];
    arguments.extend(zero_points.then_some("--zero-points"));
    let name = if zero_points { "_zero_points" } else { "" };
    insta::assert_snapshot!(format!("any_depth_{convention}{name}"), derive(&arguments));
}

#[rstest]
fn for_other_eyes(#[values("markdown", "latex")] format: &str) {
    let network = ["--network", "lab-bias", "--format", format];
    insta::assert_snapshot!(format!("lab-bias_{format}"), derive(&network));
    let layers = ["--layers", "3", "--format", format];
    insta::assert_snapshot!(format!("any_depth_{format}"), derive(&layers));
}

#[test]
fn what_cannot_be_derived_is_said() {
    for (arguments, message) in [
        (vec!["--network", "resnet"], "there is no network"),
        (vec!["--layers", "0"], "1..=16"),
        (
            vec!["--layers", "2", "--network", "lab"],
            "cannot be used with",
        ),
        (
            vec!["--zero-points", "--network", "lab"],
            "cannot be used with",
        ),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .arg("derive")
            .args(&arguments)
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.contains(message), "{error}");
    }
}
