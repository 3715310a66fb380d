//! The folder of a trial says what the trial holds.

use std::fs;

use fixtures::Fixtures;
use rstest::rstest;
use verify::backend::Trial;
use verify::backend::folder::{self, CASE, CASES, CaseDescription, OUTPUTS};
use verify::model::MODELS;

#[rstest]
fn a_case_reads_back_to_the_bit(#[values(0, 1, 2, 3)] scheme: usize) {
    let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
    let trial = Trial::new(&fixtures, "lenet5-mnist", MODELS[scheme], "golden", 1, 1).unwrap();
    let home = tempfile::tempdir().unwrap();
    folder::write_cases(&trial, home.path()).unwrap();
    for probe in &trial.probes {
        let case = home.path().join(CASES).join(&probe.name);
        let read = CaseDescription::read(&case).unwrap();
        let again = serde_json::to_string_pretty(&read).unwrap() + "\n";
        assert_eq!(again, fs::read_to_string(case.join(CASE)).unwrap());
        assert!(home.path().join(OUTPUTS).join(&probe.name).is_dir());
    }
}
