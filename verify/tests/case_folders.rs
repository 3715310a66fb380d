//! The folder of a trial says what the trial holds.

use std::fs;
use std::path::Path;

use fixtures::Fixtures;
use rstest::rstest;
use verify::backend::folder::{self, CASE, CASES, CaseDescription, FolderError, OUTPUTS};
use verify::backend::{Answer, NETWORK, Trial};
use verify::files::replace_npy;
use verify::model::{MODELS, Values};

#[rstest]
fn a_case_reads_back_to_the_bit(#[values(0, 1, 2, 3)] scheme: usize) {
    let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
    let trial = Trial::new(&fixtures, "lenet5-mnist", MODELS[scheme], "golden", 1, 1).unwrap();
    let home = tempfile::tempdir().unwrap();
    folder::write_cases(&trial, home.path()).unwrap();
    let mut weighted = 0;
    for probe in &trial.probes {
        let case = home.path().join(CASES).join(&probe.name);
        let read = CaseDescription::read(&case).unwrap();
        let again = serde_json::to_string_pretty(&read).unwrap() + "\n";
        assert_eq!(again, fs::read_to_string(case.join(CASE)).unwrap());
        let is_whole = probe.name == NETWORK;
        assert_eq!(read.pixels.is_some(), is_whole);
        assert_eq!(case.join("pixels.npy").exists(), is_whole);
        if is_whole {
            assert_eq!(probe.codes(&trial.model), probe.golden_of(0));
        }
        // A zero point for each scale.
        let described: serde_json::Value = serde_json::from_str(&again).unwrap();
        for layer in described["layers"].as_array().unwrap() {
            let count = |of: &str| layer[of].as_array().map(Vec::len);
            assert_eq!(count("weight_zero_points"), count("weight_scales"));
            weighted += usize::from(count("weight_scales").is_some());
        }
        assert!(home.path().join(OUTPUTS).join(&probe.name).is_dir());
    }
    assert!(weighted > 10, "{weighted}");
}

fn trial(network: &str, scheme: usize) -> Trial {
    let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
    Trial::new(&fixtures, network, MODELS[scheme], "golden", 1, 1).unwrap()
}

/// What is read of a tool that answers the whole network by what is written into its folder.
fn answered(trial: &Trial, write: impl FnOnce(&Path)) -> Answer {
    let home = tempfile::tempdir().unwrap();
    let outputs = home.path().join(OUTPUTS).join(NETWORK);
    fs::create_dir_all(&outputs).unwrap();
    write(&outputs);
    folder::read(trial, home.path()).unwrap().remove(0)
}

/// Each form in which a tool may have its numbers is the same tensor, in each scheme.
#[rstest]
fn codes_of_any_type_and_real_values_are_read(#[values(0, 1, 2, 3)] scheme: usize) {
    let trial = trial("mlp-mnist", scheme);
    let probe = trial.probe(NETWORK).unwrap();
    let (mut read, mut with_zero_point) = (0, 0);
    for at in probe.nodes.clone() {
        let (node, golden) = (&trial.model.nodes[at], probe.golden_of(at));
        let Some(params) = node.params else { continue };
        let shape = golden.shape();
        let real = |code: f64| (code - f64::from(params.zero_point)) * params.scale.wide();
        let file = |to: &Path, suffix: &str| to.join(format!("{}{suffix}", node.name));
        let is = |answer: &Answer, expected: &Values| {
            assert_eq!(answer.problems, [], "{}", node.name);
            assert_eq!(answer.tensors.len(), 1);
            assert_eq!(answer.tensors[0].node, at);
            assert_eq!(&answer.tensors[0].values, expected, "{}", node.name);
        };
        let wide: Vec<i64> = golden.data().iter().map(|&code| code as i64).collect();
        let answer = answered(&trial, |to| {
            replace_npy(&file(to, ".npy"), shape, &wide).unwrap();
        });
        is(&answer, golden);
        let floats: Vec<f32> = golden.data().iter().map(|&code| code as f32).collect();
        let answer = answered(&trial, |to| {
            replace_npy(&file(to, ".npy"), shape, &floats).unwrap();
        });
        is(&answer, golden);
        let reals: Vec<f32> = (golden.data().iter())
            .map(|&code| real(code) as f32)
            .collect();
        for suffix in [".npy", ".real.npy"] {
            let answer = answered(&trial, |to| {
                replace_npy(&file(to, suffix), shape, &reals).unwrap();
            });
            is(&answer, golden);
        }
        // One that lies between two codes: no code, and without the name the others are none.
        let mut between: Vec<f64> = golden.data().iter().map(|&code| real(code)).collect();
        between[3] = real(golden.data()[3] + 0.25);
        let answer = answered(&trial, |to| {
            replace_npy(&file(to, ".real.npy"), shape, &between).unwrap();
        });
        let values = answer.tensors[0].values.data();
        let differing: Vec<usize> = (0..values.len())
            .filter(|&i| values[i] != golden.data()[i])
            .collect();
        assert_eq!(differing, [3]);
        assert!(
            (values[3] - golden.data()[3] - 0.25).abs() < 1e-6,
            "{}",
            values[3]
        );
        let answer = answered(&trial, |to| {
            replace_npy(&file(to, ".npy"), shape, &between).unwrap();
        });
        assert_eq!(answer.tensors[0].values.data(), between);
        // Integers are codes, unless the name says otherwise.
        let zeros = vec![0f32; golden.data().len()];
        let answer = answered(&trial, |to| {
            replace_npy(&file(to, ".real.npy"), shape, &zeros).unwrap();
        });
        is(&answer, &golden.map(|_| params.zero_point.into()));
        read += 1;
        with_zero_point += usize::from(params.zero_point != 0);
    }
    assert!(read > 4, "{read}");
    assert_eq!(with_zero_point > 0, scheme % 2 == 1, "{with_zero_point}");
}

#[test]
fn a_shape_in_another_order_is_told() {
    let trial = trial("lenet5-mnist", 0);
    let said = |shape: &[usize]| {
        let answer = answered(&trial, |to| {
            let zeros = vec![0i8; shape.iter().product()];
            replace_npy(&to.join("conv1.npy"), shape, &zeros).unwrap();
        });
        answer.problems[0].what.clone()
    };
    let conv1 = trial.model.position("conv1").unwrap();
    let shape = trial.model.nodes[conv1].shape.clone();
    let &[n, c, h, w] = &shape[..] else {
        panic!("a map")
    };
    let has = |got: &[usize], hint: &str| format!("has shape {got:?}, expected {shape:?}{hint}");
    let last = [n, h, w, c];
    assert_eq!(
        said(&last),
        has(&last, "; it looks like NHWC: transpose to NCHW")
    );
    let without = [c, h, w];
    assert_eq!(
        said(&without),
        has(&without, "; the first axis, the image, is missing")
    );
    let flat = [n, c * h * w];
    assert_eq!(
        said(&flat),
        has(&flat, "; it has as many values: reshape it")
    );
    for other in [
        vec![n, c, h, w + 1],
        vec![c, h, w + 1],
        vec![n, h, w + 1, c],
    ] {
        assert_eq!(said(&other), has(&other, ""));
    }
}

#[test]
fn a_folder_without_outputs_is_told_what_to_hold() {
    let trial = trial("mlp-mnist", 0);
    let home = tempfile::tempdir().unwrap();
    let empty = folder::read(&trial, home.path()).unwrap_err();
    assert!(
        matches!(&empty, FolderError::Empty { example, .. } if example == "fc3"),
        "{empty}"
    );
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    let error = folder::read(&trial, &file).unwrap_err().to_string();
    assert!(error.contains("Not a directory"), "{error}");
}

#[test]
fn a_trial_has_a_hash_of_what_it_asks() {
    let hash = |scheme: usize, images: usize| {
        let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
        let trial = Trial::new(&fixtures, "mlp-mnist", MODELS[scheme], "golden", images, 1);
        trial.unwrap().hash()
    };
    assert_eq!(hash(0, 1).len(), 64);
    assert_eq!(hash(0, 1), hash(0, 1));
    assert_ne!(hash(0, 1), hash(1, 1));
    assert_ne!(hash(0, 1), hash(0, 2));
}
