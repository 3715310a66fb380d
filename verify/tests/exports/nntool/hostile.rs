//! Folders that no NNTool wrote, damaged or malicious: each is refused in words that name the file.

use std::fs::{self, File};
use std::path::Path;

use rstest::rstest;
use verify::export::nntool::import::Folder;

/// Makes a folder of a right header, a right state and a tensor, damages it, and reads it.
fn read(damage: impl FnOnce(&Path)) -> Result<Folder, String> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir(root.join("tensors")).unwrap();
    fs::write(root.join("lab.json"), STATE).unwrap();
    fs::write(root.join("model.h"), HEADER).unwrap();
    fs::write(root.join("tensors/a.tensor"), [1, 2, 3]).unwrap();
    damage(root);
    let shown = root.display().to_string();
    Folder::read(root).map_err(|error| error.to_string().replace(&shown, "DIR"))
}

const STATE: &str = r#"{"history": [], "stats": {"input_1": {"min": -1, "max": 1}}}"#;
const HEADER: &str = "\
#define lab_S1_input_1_OUT_SCALE 0.5
#define lab_S1_input_1_OUT_QSCALE 64
#define lab_S1_input_1_OUT_QNORM 7
#define lab_S1_input_1_OUT_ZERO_POINT 0
";

#[test]
fn the_undamaged_folder_is_read() {
    let folder = read(|_| ()).unwrap();
    assert_eq!(folder.state.unwrap().0, "lab.json");
    assert_eq!(folder.header.unwrap().1[0].scale, 0.5);
    assert_eq!(folder.tensors["a.tensor"], [1, 2, 3]);
}

#[rstest]
#[case::nothing_of_nntool(
    |root: &Path| {
        for file in ["lab.json", "model.h", "tensors/a.tensor"] {
            fs::remove_file(root.join(file)).unwrap();
        }
    },
    "DIR holds no tensors/*.tensor, no model.h and no state; expected the folder that nntool -g wrote"
)]
#[case::no_folder(|root: &Path| fs::remove_dir_all(root).unwrap(), "cannot read DIR: No such file")]
#[case::two_states(
    |root: &Path| fs::write(root.join("old.json"), STATE).unwrap(),
    "DIR/lab.json and DIR/old.json are both a state; leave one"
)]
#[case::two_headers(
    |root: &Path| fs::write(root.join("old.h"), HEADER).unwrap(),
    "DIR/model.h and DIR/old.h are both a header with scales; leave one"
)]
#[case::a_tensor_twice(
    |root: &Path| fs::write(root.join("a.tensor"), [1]).unwrap(),
    "DIR/tensors/a.tensor and DIR/a.tensor are both the same tensor; leave one"
)]
#[case::an_endless_tensor(
    |root: &Path| std::os::unix::fs::symlink("/dev/zero", root.join("tensors/b.tensor")).unwrap(),
    "DIR/tensors/b.tensor is a symbolic link, which is not followed; write the file itself"
)]
#[case::a_huge_tensor(
    |root: &Path| File::create(root.join("tensors/b.tensor")).unwrap().set_len(1 << 40).unwrap(),
    "DIR/tensors/b.tensor is 1099511627776 bytes long, expected at most 67108861"
)]
#[case::an_empty_tensor(
    |root: &Path| drop(File::create(root.join("tensors/b.tensor")).unwrap()),
    "DIR/tensors/b.tensor is empty"
)]
#[case::a_pipe_for_a_header(
    |root: &Path| {
        let made = std::process::Command::new("mkfifo").arg(root.join("other.h")).status();
        assert!(made.unwrap().success());
    },
    "DIR/other.h is a pipe (FIFO); write the file itself"
)]
#[case::a_header_that_is_no_text(
    |root: &Path| fs::write(root.join("model.h"), b"_OUT_SCALE \xff").unwrap(),
    "DIR/model.h is no text (UTF-8)"
)]
#[case::a_state_that_is_no_json(
    |root: &Path| fs::write(root.join("lab.json"), "{\"history\": [").unwrap(),
    "DIR/lab.json is no JSON: EOF while parsing"
)]
#[case::a_state_of_brackets(
    |root: &Path| fs::write(root.join("lab.json"), "[".repeat(100_000)).unwrap(),
    "DIR/lab.json is no JSON: recursion limit exceeded"
)]
#[case::a_header_without_a_number(
    |root: &Path| fs::write(root.join("model.h"), "#define lab_S1_input_1_OUT_SCALE much\n").unwrap(),
    "DIR/model.h: line 1: "
)]
#[case::more_files_than_a_network_has(
    |root: &Path| filled(root, 2_001),
    "DIR holds more than 2000 files; give the folder that nntool -g wrote"
)]
fn a_folder_is_refused(#[case] damage: fn(&Path), #[case] says: &str) {
    let error = read(damage).expect_err("a damaged folder");
    assert!(error.starts_with(says), "{error}");
}

/// Until there are so many files.
fn filled(root: &Path, count: usize) {
    // Links are made sooner than files.
    let one = root.join("one.txt");
    drop(File::create(&one).unwrap());
    for at in fs::read_dir(root).unwrap().count() - 1..count {
        fs::hard_link(&one, root.join(format!("{at}.txt"))).unwrap();
    }
}

#[test]
fn a_folder_of_as_many_files_as_may_be_is_read() {
    assert!(read(|root: &Path| filled(root, 2_000)).is_ok());
}

#[test]
fn what_is_none_of_its_files_is_passed_over() {
    let folder = read(|root: &Path| {
        fs::create_dir(root.join("b.tensor")).unwrap();
        fs::write(root.join("Expression_Kernels.h"), "void f(void);\n").unwrap();
        fs::write(root.join("notes.txt"), [0xff; 9]).unwrap();
    });
    assert_eq!(folder.unwrap().tensors.len(), 1);
}

/// Of state, header and tensors each alone is a folder to look at.
#[test]
fn a_part_of_a_folder_is_read() {
    let parts = ["lab.json", "model.h", "tensors/a.tensor"];
    for kept in parts {
        let folder = read(|root: &Path| {
            for file in parts.iter().filter(|&&file| file != kept) {
                fs::remove_file(root.join(file)).unwrap();
            }
        });
        let folder = folder.unwrap();
        let there = [
            folder.state.is_some(),
            folder.header.is_some(),
            !folder.tensors.is_empty(),
        ];
        assert_eq!(there, parts.map(|file| file == kept), "{kept}");
    }
}
