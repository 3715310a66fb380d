//! C libraries as backends: right ones, and those that crash, hang or are none.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use fixtures::Fixtures;
use rstest::rstest;
use verify::backend::{Answer, BackendError, Trial, backend_of};
use verify::model::ModelScheme;

const LIMIT: Duration = Duration::from_secs(60);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Whether there is a C compiler; said loudly when not.
fn compiler() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let found = Command::new("cc").arg("--version").output().is_ok();
        if !found {
            eprintln!("\nNOT TESTED: C libraries as backends, for there is no C compiler `cc`\n");
        }
        found
    })
}

fn compile(source: &Path, library: &Path) {
    let mut command = Command::new("cc");
    command.args([
        "-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
    ]);
    command.arg("-I").arg(root().join("verify/include"));
    let done = command
        .arg(source)
        .arg("-o")
        .arg(library)
        .arg("-lm")
        .output();
    let done = done.unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

fn trial(network: &str, scheme: ModelScheme) -> Trial {
    let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
    Trial::new(&fixtures, network, scheme, "golden", 2, 2).unwrap()
}

fn small() -> &'static Trial {
    static TRIAL: OnceLock<Trial> = OnceLock::new();
    TRIAL.get_or_init(|| trial("mlp-mnist", ModelScheme::MaxAbs))
}

/// The backend, its answer and what it remarked.
fn run(
    library: &Path,
    limit: Duration,
    trial: &Trial,
) -> (Result<Vec<Answer>, BackendError>, String) {
    let host = Path::new(env!("CARGO_BIN_EXE_xtask"));
    let mut backend = backend_of(library.to_str().unwrap(), limit, host).unwrap();
    let answers = backend.run(trial);
    (answers, backend.remarks().join("\n"))
}

#[test]
fn the_example_is_golden() {
    if !compiler() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("libkernel.so");
    compile(&root().join("examples/backends/kernel.c"), &library);
    for (network, scheme) in [
        ("lab", ModelScheme::MaxAbs),
        ("lenet5-mnist", ModelScheme::Asymmetric),
        ("lenet5-mnist", ModelScheme::PerChannelAsymmetric),
        ("mlp-mnist", ModelScheme::PerChannel),
    ] {
        is_golden(&library, &trial(network, scheme));
    }
}

fn is_golden(library: &Path, trial: &Trial) {
    let (answers, remarks) = run(library, LIMIT, trial);
    let answers = answers.unwrap();
    assert_eq!(remarks, "");
    assert_eq!(answers.len(), trial.probes.len());
    for (answer, probe) in answers.iter().zip(&trial.probes) {
        assert!(answer.problems.is_empty(), "{:?}", answer.problems);
        // Every node but the input, which no layer makes.
        let layers = probe.nodes.len() - usize::from(probe.nodes.start == 0);
        assert_eq!(answer.tensors.len(), layers, "{}", answer.probe);
        for shown in &answer.tensors {
            let name = &trial.model.nodes[shown.node].name;
            assert_eq!(
                shown.values.data(),
                probe.golden_of(shown.node).data(),
                "{name}"
            );
        }
    }
}

/// A library of this text, run on the small trial.
fn of(text: &str, limit: Duration) -> (Result<Vec<Answer>, BackendError>, String) {
    let folder = tempfile::tempdir().unwrap();
    let source: PathBuf = folder.path().join("broken.c");
    let library = folder.path().join("libbroken.so");
    std::fs::write(&source, format!("#include \"karat.h\"\n{text}\n")).unwrap();
    compile(&source, &library);
    run(&library, limit, small())
}

const VERSION: &str = "uint32_t karat_abi_version(void) { return KARAT_ABI_VERSION; }";

/// A linear layer with this body.
fn linear(body: &str) -> String {
    format!(
        "{VERSION}\nint karat_linear(const karat_input *in, const karat_weights *w, \
         karat_output *out) {{ (void)in; (void)w; (void)out; {body} }}"
    )
}

#[rstest]
#[case::no_version("int karat_relu(const karat_input *i, karat_output *o) { return !i + !o; }".into(),
    "has no karat_abi_version; karat.h: uint32_t karat_abi_version(void)")]
#[case::other_version("uint32_t karat_abi_version(void) { return 7; }".into(),
    "is of ABI version 7, this Karat of 1; compile it anew")]
#[case::no_operator(VERSION.into(),
    "has no operator; karat.h: define at least one of karat_conv2d, karat_linear")]
#[case::segfault(
    linear("volatile int *volatile nowhere = 0; *nowhere = 1; return 0;"),
    "it was ended by SIGSEGV (it crashed: memory that is not its own)"
)]
#[case::says_where(
    linear("volatile int *volatile nowhere = 0; *nowhere = 1; return 0;"),
    "last line on stdout: case directed-fc1, layer fc1: karat_linear"
)]
#[case::crash_when_loaded(
    format!("{VERSION} __attribute__((constructor)) static void f(void) {{ __builtin_trap(); }}"),
    "it was ended by SIG")]
fn a_broken_library_is_told_in_words(#[case] text: String, #[case] expected: &str) {
    if !compiler() {
        return;
    }
    let error = of(&text, LIMIT).0.map(drop).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[rstest]
#[case::error(
    linear("return -3;"),
    "layer fc1: karat_linear returned the error -3",
    true
)]
#[case::unsupported(
    linear("return KARAT_UNSUPPORTED;"),
    "from layer fc1 on left out: karat_linear returned KARAT_UNSUPPORTED",
    false
)]
#[case::writes_too_far(
    linear("((int8_t *)out->codes)[(int64_t)out->shape[0] * out->shape[1] + 3] = 1; return 0;"),
    "layer fc1: karat_linear wrote outside its output of",
    true
)]
fn a_layer_that_a_library_gets_wrong_is_a_problem_and_one_that_it_lacks_is_left_out(
    #[case] text: String,
    #[case] expected: &str,
    #[case] is_problem: bool,
) {
    if !compiler() {
        return;
    }
    let (answers, remarks) = of(&text, LIMIT);
    let answers = answers.unwrap();
    let problems: Vec<&str> = (answers.iter().flat_map(|answer| &answer.problems))
        .map(|problem| problem.what.as_str())
        .collect();
    assert_eq!(
        problems.iter().any(|what| what.starts_with(expected)),
        is_problem,
        "{problems:?}"
    );
    assert_eq!(problems.is_empty(), !is_problem, "{problems:?}");
    let tensors: usize = answers.iter().map(|answer| answer.tensors.len()).sum();
    assert_eq!(
        tensors, 2,
        "the flattened input, of the network and by itself"
    );
    assert!(remarks.contains(expected), "{remarks}");
}

#[test]
fn a_library_that_hangs_is_stopped() {
    if !compiler() {
        return;
    }
    let start = Instant::now();
    let (answers, _) = of(
        &linear("for (volatile int i = 0;; i++) {}"),
        Duration::from_secs(2),
    );
    let error = answers.map(drop).unwrap_err().to_string();
    assert!(error.contains("no answer within 2 s"), "{error}");
    assert!(error.contains("layer fc1: karat_linear"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[test]
fn what_a_library_lacks_is_left_out_and_remarked() {
    if !compiler() {
        return;
    }
    let relu = "int karat_relu(const karat_input *in, karat_output *out) {\n\
        (void)in; ((int8_t *)out->codes)[0] = 5; return 0; }";
    let (answers, remarks) = of(&format!("{VERSION}\n{relu}"), LIMIT);
    let answers = answers.unwrap();
    let names: Vec<&str> = answers.iter().map(|answer| &*answer.probe).collect();
    assert!(
        names.contains(&"layer-relu1") && !names.contains(&"layer-fc1"),
        "{names:?}"
    );
    let whole = answers
        .iter()
        .find(|answer| answer.probe == "network")
        .unwrap();
    assert_eq!(whole.tensors.len(), 1, "the flattened input alone");
    let expected = "case network: from layer fc1 on left out: the library has no karat_linear, \
                    which karat.h declares";
    assert!(remarks.contains(expected), "{remarks}");
}

#[test]
fn a_file_that_is_no_library_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("no library.so");
    std::fs::write(&library, "text").unwrap();
    let (answers, _) = run(&library, LIMIT, small());
    let error = answers.map(drop).unwrap_err().to_string();
    assert!(error.contains("cannot be loaded"), "{error}");
}
