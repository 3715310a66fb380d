//! Whatever a backend does, it is told in words, within the time limit, and nothing of it is
//! left: no process, no folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use fixtures::Fixtures;
use rstest::rstest;
use tempfile::TempDir;
use verify::backend::folder::{self, TrialDescription};
use verify::backend::{Answer, Backend, BackendError, Process, Trial, backend_of};
use verify::model::ModelScheme;

/// Far more than a script takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);
/// For scripts that never end.
const SHORT: Duration = Duration::from_secs(2);

fn trial() -> &'static Trial {
    static TRIAL: OnceLock<Trial> = OnceLock::new();
    TRIAL.get_or_init(|| {
        let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
        Trial::new(
            &fixtures,
            "mlp-mnist",
            ModelScheme::Asymmetric,
            "golden",
            3,
            2,
        )
        .unwrap()
    })
}

/// A script and what it writes down: the folder that it was given, and its processes.
struct Script {
    home: TempDir,
}

impl Script {
    fn new(body: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let whole = home.path().join("whole");
        let description = TrialDescription::new(trial());
        folder::write(trial(), &description, &whole).unwrap();
        let text = format!(
            "HOME_OF_TEST='{}'; DIR=\"$1\"; OUT=\"$1/outputs/network\"\n\
             echo \"$DIR\" > \"$HOME_OF_TEST/folder\"; echo $$ >> \"$HOME_OF_TEST/processes\"\n\
             right() {{ cp -r \"$HOME_OF_TEST/whole/expected/.\" \"$DIR/outputs/\"; }}\n{body}\n",
            home.path().display()
        );
        fs::write(home.path().join("script.sh"), text).unwrap();
        Self { home }
    }

    fn run_within(&self, limit: Duration) -> Result<Vec<Answer>, BackendError> {
        let command = format!("sh '{}/script.sh'", self.home.path().display());
        let start = Instant::now();
        let answers = Process::command(&command, limit).unwrap().run(trial());
        let took = start.elapsed();
        assert!(took < limit + Duration::from_secs(20), "{took:?}");
        self.nothing_is_left();
        answers
    }

    fn run(&self) -> Result<Vec<Answer>, BackendError> {
        self.run_within(LIMIT)
    }

    fn nothing_is_left(&self) {
        let note = |name| fs::read_to_string(self.home.path().join(name)).unwrap();
        let folder = PathBuf::from(note("folder").trim_end());
        assert!(
            folder.is_absolute() && !folder.exists(),
            "{} is left",
            folder.display()
        );
        for process in note("processes").lines() {
            assert!(!is_running(process), "process {process} goes on");
        }
    }

    /// The only problem of the answers.
    fn problem(&self) -> (String, String) {
        let answers = self.run().unwrap();
        let problems: Vec<_> = answers.iter().flat_map(|answer| &answer.problems).collect();
        assert_eq!(problems.len(), 1, "{problems:?}");
        (problems[0].file.clone(), problems[0].what.clone())
    }
}

/// Whether a process is there and does more than wait to be reaped.
fn is_running(process: &str) -> bool {
    let status = Command::new("ps")
        .args(["-o", "stat=", "-p", process])
        .output();
    let status = status.expect("these tests need ps");
    let state = String::from_utf8_lossy(&status.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

fn message(result: Result<Vec<Answer>, BackendError>) -> String {
    result.map(|answers| answers.len()).unwrap_err().to_string()
}

#[test]
fn a_right_answer_is_read_whole_and_what_it_says_is_kept() {
    let script = Script::new("right; echo careful >&2");
    let command = format!("sh '{}/script.sh'", script.home.path().display());
    let mut process = Process::command(&command, LIMIT).unwrap();
    let answers = process.run(trial()).unwrap();
    assert_eq!(answers.len(), trial().probes.len());
    for (answer, probe) in answers.iter().zip(&trial().probes) {
        assert!(answer.problems.is_empty(), "{:?}", answer.problems);
        for shown in &answer.tensors {
            assert_eq!(shown.values.data(), probe.golden_of(shown.node).data());
        }
        assert_eq!(answer.tensors.len(), probe.nodes.len());
    }
    assert_eq!(process.remarks(), ["careful"]);
    script.nothing_is_left();
}

#[test]
fn a_command_that_hangs_is_stopped() {
    let script = Script::new("echo loading >&2; sleep 1000");
    let text = message(script.run_within(SHORT));
    assert!(
        text.contains("no answer within 2 s; it was stopped"),
        "{text}"
    );
    assert!(text.ends_with("loading"), "{text}");
}

#[test]
fn a_command_that_ignores_every_signal_is_stopped() {
    let script = Script::new("trap '' TERM INT HUP; while :; do sleep 1; done");
    assert!(matches!(
        script.run_within(SHORT),
        Err(BackendError::TimeLimit { .. })
    ));
}

#[rstest]
#[case("exit 7", "it ended with exit code 7")]
#[case(
    "kill -SEGV $$",
    "it was ended by SIGSEGV (it crashed: memory that is not its own)"
)]
#[case("kill -ABRT $$", "it was ended by SIGABRT (it aborted)")]
fn a_crash_says_how_and_quotes_the_last_words(#[case] end: &str, #[case] how: &str) {
    let text = message(Script::new(&format!("echo step 3; echo 'no such layer' >&2; {end}")).run());
    assert!(text.contains(how), "{text}");
    assert!(text.contains("last line on stdout: step 3"), "{text}");
    assert!(text.ends_with("no such layer"), "{text}");
}

#[rstest]
#[case("yes")]
#[case("yes >&2")]
#[case("cat /dev/zero")]
#[case("cat /dev/zero >&2")]
fn endless_output_neither_blocks_nor_fills_the_message(#[case] flood: &str) {
    let text = message(Script::new(flood).run_within(Duration::from_secs(1)));
    assert!(text.contains("no answer within 1 s"), "{text}");
    assert!(text.len() < 20_000, "{} bytes", text.len());
}

#[test]
fn much_output_before_the_answer_does_not_block_it() {
    let answers = Script::new("yes | head -c 5000000; yes | head -c 5000000 >&2; right").run();
    assert_eq!(answers.unwrap().len(), trial().probes.len());
}

#[test]
fn what_a_terminal_would_obey_is_escaped() {
    let text = message(Script::new(r"printf '\033[2Jgone\n' >&2; exit 1").run());
    assert!(!text.contains('\u{1b}') && text.contains("gone"), "{text}");
}

#[rstest]
#[case::in_the_group("sleep 1000 & echo $! >> \"$HOME_OF_TEST/processes\"")]
#[case::in_a_session_of_its_own(
    "setsid sh -c 'echo $$ >> \"$0/processes\"; sleep 1000' \"$HOME_OF_TEST\" &
     while [ $(wc -l < \"$HOME_OF_TEST/processes\") -lt 2 ]; do sleep 0.01; done"
)]
fn a_grandchild_that_survives_is_ended(
    #[case] start: &str,
    #[values("right", "sleep 1000", "kill -SEGV $$")] then: &str,
) {
    let script = Script::new(&format!("{start}\n{then}"));
    let limit = if then == "sleep 1000" { SHORT } else { LIMIT };
    assert_eq!(script.run_within(limit).is_ok(), then == "right");
    let noted = fs::read_to_string(script.home.path().join("processes")).unwrap();
    assert_eq!(noted.lines().count(), 2);
}

#[test]
fn a_command_that_writes_nothing_is_told_what_to_write() {
    let text = message(Script::new("exit 0").run());
    assert!(text.contains("wrote none of the expected files"), "{text}");
    assert!(text.contains("DIR/outputs/<case>/<layer>.npy"), "{text}");
}

#[rstest]
#[case("karat-no-such-program", "there is no program karat-no-such-program")]
#[case("'open", "a quote is not closed")]
#[case("  ", "expected a command or a library")]
#[case("./no_such_library.so", "No such file")]
fn what_cannot_be_started_says_why(#[case] text: &str, #[case] why: &str) {
    let started = backend_of(text, LIMIT, Path::new("host"));
    let error = started.and_then(|mut backend| backend.run(trial()));
    let error = error.unwrap_err().to_string();
    assert!(error.contains(why), "{error}");
}

#[rstest]
#[case(
    "printf '#!/bin/sh\\n' > $0/tool",
    "is not executable; make it so with `chmod +x`"
)]
#[case(
    "printf '#!/no/such/interpreter\\n' > $0/tool; chmod +x $0/tool",
    "the interpreter in the first line of"
)]
#[case(
    "printf 'text\\n' > $0/tool; chmod +x $0/tool",
    "names its interpreter"
)]
fn a_file_that_is_no_program_says_why(#[case] make: &str, #[case] why: &str) {
    let home = tempfile::tempdir().unwrap();
    // Written by another process: this one would hold it open while another test forks.
    let made = Command::new("sh")
        .args(["-c", make])
        .arg(home.path())
        .status();
    assert!(made.unwrap().success());
    let command = home.path().join("tool").display().to_string();
    let error = message(Process::command(&command, LIMIT).unwrap().run(trial()));
    assert!(error.contains(why), "{error}");
}

#[test]
fn words_are_split_as_a_shell_does() {
    let script = Script::new("right; echo \"$2|$3\" >&2; exit 1");
    let home = script.home.path().display();
    let command = format!("sh -c 'sh \"$0\" \"$2\" \"$1\" \"a b\"' '{home}/script.sh' 'x  y'");
    let error = message(Process::command(&command, LIMIT).unwrap().run(trial()));
    assert!(error.ends_with("x  y|a b"), "{error}");
}

/// A npy file by printf: version 1, header, data.
fn npy(file: &str, descr: &str, shape: &str, data: &str) -> String {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    let length = header.len();
    format!(
        r#"printf '\223NUMPY\001\000\{length:o}\000' > "$OUT/{file}"; printf "{header}" >> "$OUT/{file}"
        {data} >> "$OUT/{file}""#
    )
}

/// The last layer: ten codes for each of three images.
const LAST: &str = "fc3.npy";

#[rstest]
#[case::shape(
    npy(LAST, "|u1", "(10, 3)", "head -c 30 /dev/zero"),
    "has shape [10, 3], expected [3, 10]; it has as many values: reshape it"
)]
#[case::no_images(
    npy(LAST, "|u1", "(10,)", "head -c 10 /dev/zero"),
    "has shape [10], expected [3, 10]; the first axis, the image, is missing"
)]
#[case::dtype(
    npy(LAST, "|i1", "(3, 10)", "head -c 30 /dev/zero"),
    "has dtype \"|i1\", expected codes 0 to 255; write uint8 or a wider integer"
)]
#[case::complex(
    npy(LAST, "<c8", "(3, 10)", "head -c 240 /dev/zero"),
    "dtype \"<c8\", expected \"int8, uint8,"
)]
#[case::accumulators(
    npy("fc3.accumulators.npy", "|i1", "(3, 10)", "head -c 30 /dev/zero"),
    "has dtype \"|i1\", expected int32 accumulators"
)]
#[case::nan(
    npy(
        LAST,
        "<f4",
        "(3, 10)",
        r"(head -c 116 /dev/zero; printf '\000\000\300\177')"
    ),
    "holds 1 NaN or infinities, the first, NaN, at [2, 9]; expected codes 0 to 255"
)]
#[case::infinity(
    npy(
        LAST,
        "<f4",
        "(3, 10)",
        r"(printf '\000\000\200\377'; head -c 116 /dev/zero)"
    ),
    "holds 1 NaN or infinities, the first, -inf, at [0, 0]; expected codes 0 to 255"
)]
#[case::half_written(
    npy(LAST, "|u1", "(3, 10)", "head -c 13 /dev/zero"),
    "truncated: 13 bytes of data, expected 30"
)]
#[case::too_much(
    npy(LAST, "|u1", "(3, 10)", "head -c 31 /dev/zero"),
    "trailing bytes: 31 bytes of data, expected 30"
)]
#[case::ten_gigabytes_promised(
    npy(LAST, "|u1", "(10000000000,)", "true"),
    "truncated: 0 bytes of data, expected 10000000000"
)]
#[case::more_than_memory(
    npy(LAST, "|u1", "(10000000000, 10000000000)", "true"),
    "holds more values than memory can address"
)]
#[case::long_header(r#"printf '\223NUMPY\002\000\377\377\377\377' > "$OUT/fc3.npy""#.into(),
    "a header of 4294967295 bytes, expected at most 10000")]
#[case::cut_header(r#"printf '\223NUMPY\001\000\166\000{' > "$OUT/fc3.npy""#.into(),
    "the file ends after 11 bytes, inside its header of 128")]
#[case::garbage(r#"echo garbage > "$OUT/fc3.npy""#.into(), "not a npy file")]
#[case::empty(r#": > "$OUT/fc3.npy""#.into(), "is empty")]
#[case::huge(r#"truncate -s 10G "$OUT/fc3.npy""#.into(),
    "is 10737418240 bytes long, expected at most")]
#[case::pipe(r#"mkfifo "$OUT/fc3.npy""#.into(), "is a pipe (FIFO); write the file itself")]
#[case::folder(r#"mkdir "$OUT/fc3.npy""#.into(), "is a folder; write the file itself")]
#[case::link(r#"ln -s "$HOME_OF_TEST/whole/expected/network/fc3.npy" "$OUT/fc3.npy""#.into(),
    "is a symbolic link, which is not followed; write the file itself")]
#[case::device_by_link(r#"ln -s /dev/zero "$OUT/fc3.npy""#.into(), "is a symbolic link")]
fn a_file_that_cannot_be_compared_is_named(#[case] body: String, #[case] what: &str) {
    let (file, found) = Script::new(&body).problem();
    assert!(file.starts_with("network/fc3."), "{file}");
    assert!(found.contains(what), "{found}");
}

#[rstest]
#[case(
    "right; : > \"$OUT/fc9.npy\"",
    "network/fc9.npy",
    "is no tensor of this case; expected"
)]
#[case(
    "right; : > \"$OUT/...npy\"",
    "network/...npy",
    "is no tensor of this case"
)]
#[case(
    "right; printf x > \"$OUT/$(printf 'a\\033b').npy\"",
    r"network/a\u{1b}b.npy",
    "is no tensor"
)]
#[case(
    "right; mkdir \"$DIR/outputs/netwrok\"",
    "netwrok",
    "is no case; expected one of network"
)]
#[case(
    "right; : > \"$DIR/outputs/../../outputs.npy\"; mv \"$DIR/../outputs.npy\" \"$DIR/x.npy\"",
    "../x.npy",
    "lies beside outputs/ and is not read"
)]
#[case(
    "right; cp \"$OUT/fc3.npy\" \"$DIR/cases/network/fc3.npy\"",
    "../cases/network/fc3.npy",
    "lies beside outputs/"
)]
#[case("right; ln -s / \"$DIR/root\"", "../root", "lies beside outputs/")]
fn what_nobody_asked_for_is_named(#[case] body: &str, #[case] file: &str, #[case] what: &str) {
    let (named, found) = Script::new(body).problem();
    assert_eq!(named, file);
    assert!(found.contains(what), "{found}");
}

#[test]
fn a_great_many_files_are_counted_and_hide_nothing() {
    let script = Script::new("right; cd \"$OUT\" && seq 1 1200 | xargs touch");
    let answers = script.run().unwrap();
    assert_eq!(answers[0].tensors.len(), trial().probes[0].nodes.len());
    let problems = &answers[0].problems;
    assert_eq!(problems.len(), 21);
    assert!(
        problems[20]
            .what
            .starts_with("more than 981 more: each is no tensor"),
        "{problems:?}"
    );
}

#[rstest]
#[case("rm -r \"$DIR/outputs\"; ln -s \"$HOME_OF_TEST/whole/expected\" \"$DIR/outputs\"")]
#[case("rmdir \"$OUT\"; ln -s \"$HOME_OF_TEST/whole/expected/network\" \"$OUT\"")]
#[case("rmdir \"$OUT\"; mkfifo \"$OUT\"")]
#[case("rmdir \"$OUT\"; : > \"$OUT\"")]
fn outputs_that_are_no_folder_are_not_followed(#[case] body: &str) {
    let script = Script::new(body);
    let text = message(script.run());
    assert!(text.contains("expected a folder"), "{text}");
    // Removing the folder of the trial did not go through the link.
    assert!(
        script
            .home
            .path()
            .join("whole/expected/network/fc3.npy")
            .exists()
    );
}

#[test]
fn links_and_locked_folders_are_removed_and_what_they_point_at_is_kept() {
    let script = Script::new(
        "mkdir \"$HOME_OF_TEST/mine\"; : > \"$HOME_OF_TEST/mine/kept\"; right
         ln -s \"$HOME_OF_TEST/mine\" \"$OUT/link\"; mkdir -p \"$OUT/locked/deep\"
         : > \"$OUT/locked/deep/file\"; chmod 0 \"$OUT/locked/deep\" \"$OUT/locked\"",
    );
    let answers = script.run().unwrap();
    assert_eq!(answers[0].problems.len(), 2, "{:?}", answers[0].problems);
    assert!(script.home.path().join("mine/kept").exists());
}

/// The harness that [`an_interrupted_harness_leaves_nothing`] interrupts, in a process of its own.
#[test]
#[ignore = "run by another test"]
fn a_harness_to_be_interrupted() {
    let home = std::env::var(HOME).unwrap();
    let mut process = Process::command(&format!("sh '{home}/script.sh'"), LIMIT).unwrap();
    println!("{}", message(process.run(trial())));
}

/// Where the script of the interrupted harness lies.
const HOME: &str = "KARAT_TEST_HOME";

#[rstest]
#[case("INT")]
#[case("TERM")]
fn an_interrupted_harness_leaves_nothing(#[case] signal: &str) {
    let script = Script::new("sleep 1000");
    let harness = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "hostile_backends::a_harness_to_be_interrupted",
            "--ignored",
            "--nocapture",
        ])
        .env(HOME, script.home.path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !script.home.path().join("processes").exists() {
        assert!(start.elapsed() < LIMIT, "the backend was not started");
        std::thread::sleep(Duration::from_millis(10));
    }
    let id = harness.id().to_string();
    let sent = Command::new("kill").args(["-s", signal, &id]).status();
    assert!(sent.unwrap().success());
    let output = harness.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("stopped, as you asked; nothing of it is left"),
        "{text}"
    );
    assert!(start.elapsed() < LIMIT);
    script.nothing_is_left();
}
