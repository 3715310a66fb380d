//! What a person reads: the report, the scale tables, the error messages.

use std::sync::LazyLock;

use kernels::dispatch;
use rstest::rstest;
use verify::report::scale_table;
use verify::{Format, Options, Outcome, Report, Selection, VerifyError, verify};

fn report(selection: Selection) -> Result<Report, VerifyError> {
    let options = Options {
        fixtures: fixtures::Fixtures::committed_root(),
        selection,
        data: None,
        images: verify::run::TRACED_IMAGES,
    };
    verify(&options, &[dispatch::portable()], &|_| {})
}

/// Made once.
fn lab() -> Report {
    static LAB: LazyLock<Report> =
        LazyLock::new(|| report(Selection::Network("lab".into())).unwrap());
    LAB.clone()
}

#[test]
fn the_report_of_lab() {
    let report = lab();
    assert!(report.passed());
    insta::assert_snapshot!("lab", report.render(Format::Human { verbose: false }));
    insta::assert_snapshot!(
        "lab_verbose",
        report.render(Format::Human { verbose: true })
    );
    let junit = report.render(Format::Junit);
    assert_eq!(junit.matches("<testcase").count(), report.rows.len());
    assert_eq!(junit.matches("<failure").count(), 0);
    let json: serde_json::Value = serde_json::from_str(&report.render(Format::Json)).unwrap();
    assert_eq!(json["rows"].as_array().unwrap().len(), report.rows.len());
    assert_eq!(json["networks"][0]["int8_agree"], 1000);
}

/// Two comparisons of a passing report made to fail.
#[test]
fn a_report_that_fails() {
    let mut report = lab();
    let compared = report.rows[30].outcome.compared();
    report.rows[30].outcome = Outcome::Differs {
        compared,
        differing: 12,
        position: vec![0, 3, 1, 4],
        expected: "17".into(),
        got: "18".into(),
        bound: None,
    };
    report.rows[40].outcome = Outcome::incomparable("the layer is missing");
    assert!(!report.passed());
    assert_eq!(report.failures().count(), 2);
    insta::assert_snapshot!("failing", report.render(Format::Human { verbose: false }));
    let junit = report.render(Format::Junit);
    assert_eq!(junit.matches("<failure").count(), 2);
    assert!(junit.contains("expected 17, got 18"));
}

#[test]
fn an_empty_report_has_not_passed() {
    let mut report = lab();
    report.rows.clear();
    assert!(!report.passed());
    assert!(
        report
            .render(Format::Human { verbose: false })
            .ends_with("FAIL: nothing was compared\n")
    );
}

#[rstest]
fn scales_in_three_conventions(
    #[values("lab", "lab-bias", "lenet5-cifar10", "lenet5-mnist", "mlp-mnist")] name: &str,
) {
    let (_, _, subject) = crate::common::load(name);
    insta::assert_snapshot!(format!("scales_{name}"), scale_table(&subject.integer));
}

#[test]
fn an_unknown_network_is_an_error_that_names_the_known_ones() {
    let error = report(Selection::Network("resnet".into())).unwrap_err();
    insta::assert_snapshot!(error, @r#"there is no network "resnet"; there are: lab, lab-bias, lenet5-cifar10, lenet5-mnist, mlp-mnist"#);
}
