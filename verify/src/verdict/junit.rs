//! A verdict as JUnit XML: a suite for each network, a case for each stretch.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::stretch::{Outcome, Stretch};
use super::{TrialVerdict, Verdict};

/// The XML.
pub fn render(verdict: &Verdict) -> String {
    let mut report = Report::new(format!("karat: {}", verdict.backend));
    report.add_test_suites(verdict.trials.iter().map(suite));
    // Strings without control characters: the writer has nothing to refuse.
    report.to_string().unwrap_or_default()
}

fn suite(trial: &TrialVerdict) -> TestSuite {
    let mut suite = TestSuite::new(format!("{} {}", trial.network, trial.scheme));
    if let Some(failure) = &trial.failure {
        suite.add_test_case(TestCase::new("answer", failed(failure)));
    }
    for probe in &trial.probes {
        for stretch in &probe.stretches {
            let name = format!("{}: {}", probe.probe, stretch.name());
            suite.add_test_case(TestCase::new(name, status(stretch)));
        }
        for problem in &probe.problems {
            suite.add_test_case(TestCase::new(&*problem.file, failed(&problem.what)));
        }
    }
    suite
}

fn failed(why: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(why);
    status
}

fn status(stretch: &Stretch) -> TestCaseStatus {
    match &stretch.outcome {
        Outcome::Equal | Outcome::EqualDespiteInput => TestCaseStatus::success(),
        Outcome::ExplainedByInput => failed(&format!(
            "{} of {} values differ, all explained by the input",
            stretch.differing, stretch.compared
        )),
        Outcome::Differs(finding) => failed(&format!(
            "{} of {} values differ: {}",
            finding.differing,
            stretch.compared,
            super::human::names(finding)
        )),
    }
}
