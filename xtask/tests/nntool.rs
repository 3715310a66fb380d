//! `nntool adjust` and `nntool fusions` as a user calls them.

use crate::front_door::{text, xtask};
use rstest::rstest;

#[rstest]
#[case("adjust", &["adjust", "--network", "lab"])]
#[case("adjust_hwc", &["adjust", "--network", "lenet5-mnist", "--layout", "hwc"])]
#[case("fusions", &["fusions", "--scale8", "--network", "lab"])]
#[case("fusions_of_no_group", &["fusions", "--network", "lab"])]
#[case("fusions_list", &["fusions", "-l"])]
fn a_pass_prints_what_it_did(#[case] name: &str, #[case] arguments: &[&str]) {
    let output = xtask(&[&["nntool"], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(!output.stdout.contains(&0x1b), "colours outside a terminal");
    insta::assert_snapshot!(name, text(&output.stdout));
}

#[rstest]
#[case(&["adjust", "--network", "alexnet"])]
#[case(&["fusions", "--network", "alexnet"])]
#[case(&["fusions", "--scale8", "--network", "alexnet"])]
fn an_unknown_network_is_an_error_that_names_those_there_are(#[case] arguments: &[&str]) {
    let output = xtask(&[&["nntool"], arguments].concat());
    assert_eq!(output.status.code(), Some(2));
    let error = text(&output.stderr);
    assert!(error.contains("there is no network \"alexnet\""), "{error}");
    assert!(error.contains("lenet5-mnist"), "{error}");
    assert!(output.stdout.is_empty());
}

#[rstest]
#[case(&["fusions", "--scale8"])]
#[case(&["fusions"])]
#[case(&["fusions", "-l", "--scale8"])]
#[case(&["adjust", "--network", "lab", "--layout", "nchw"])]
fn what_is_not_asked_for_rightly_is_a_usage_error(#[case] arguments: &[&str]) {
    let output = xtask(&[&["nntool"], arguments].concat());
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
}
