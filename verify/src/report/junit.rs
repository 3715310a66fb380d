//! JUnit XML: a suite a network, a test a comparison.

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::Report;

pub(super) fn render(report: &Report) -> String {
    let mut xml = quick_junit::Report::new("karat verify");
    for rows in report.rows.chunk_by(|a, b| a.network == b.network) {
        let mut suite = TestSuite::new(&rows[0].network);
        for row in rows {
            let status = if row.outcome.holds() {
                TestCaseStatus::success()
            } else {
                let mut failure = TestCaseStatus::non_success(NonSuccessKind::Failure);
                failure.set_message(row.outcome.to_string());
                failure
            };
            let mut case = TestCase::new(format!("{}: {}", row.layer, row.claim), status);
            case.set_classname(row.network.clone());
            suite.add_test_case(case);
        }
        xml.add_test_suite(suite);
    }
    xml.to_string().unwrap_or_default()
}
