//! The documents are true: paths exist, cited equations exist, README shows what is printed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// What stands between backticks and looks like a path of this workspace.
fn paths(text: &str) -> BTreeSet<String> {
    let folders = [
        "reference/",
        "quant/",
        "kernels/",
        "fixtures/",
        "verify/",
        "xtask/",
        "docs/",
        ".ci/",
        ".cargo/",
    ];
    (text.split('`').skip(1).step_by(2))
        .filter(|quoted| folders.iter().any(|folder| quoted.starts_with(folder)))
        // A pattern, not a path.
        .filter(|quoted| !quoted.contains('<'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_path_that_a_document_names_exists() {
    let mut checked = 0;
    for document in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "docs/exports.md",
        "docs/quantization.md",
    ] {
        for path in paths(&read(document)) {
            assert!(
                root().join(&path).exists(),
                "{document} names {path}, which does not exist"
            );
            checked += 1;
        }
    }
    assert!(checked > 40, "{checked} paths");
}

/// A file that no program of tests names would never run.
#[test]
fn every_file_of_tests_is_in_a_program() {
    let mut checked = 0;
    for folder in [
        "fixtures",
        "kernels",
        "quant",
        "reference",
        "verify",
        "xtask",
    ] {
        let manifest = read(&format!("{folder}/Cargo.toml"));
        let tests = root().join(folder).join("tests");
        let mut files = Vec::new();
        rust_files(&tests, &mut files);
        for file in files {
            let name = file.file_stem().unwrap().to_str().unwrap();
            let parent = file.parent().unwrap();
            // `common/mod.rs` is the module `common`.
            let (name, parent) = match name {
                "mod" => (parent.file_name().unwrap().to_str().unwrap(), tests.clone()),
                name => (name, parent.to_owned()),
            };
            let (program, by) = match parent == tests {
                true => (
                    tests.join("all.rs"),
                    format!("[[test]]\nname = \"{name}\"\n"),
                ),
                false => (parent.with_extension("rs"), "\0".to_owned()),
            };
            let module = format!("mod {name};");
            let named = fs::read_to_string(&program).is_ok_and(|program| {
                (program.lines())
                    .any(|line| line == module || line == format!("pub(crate) {module}"))
            });
            assert!(
                named || manifest.contains(&by),
                "{} is in no program of tests",
                file.display()
            );
            checked += 1;
        }
    }
    assert!(checked > 90, "{checked} files");
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The numbers after "eq. " in a text: "eq. 6 and 7", "eq. 4 to 11", "eq. 4, 10 and 11".
fn cited(text: &str) -> BTreeSet<u32> {
    let mut numbers = BTreeSet::new();
    for rest in text.split("q. ").skip(1) {
        for word in rest.split([' ', ',', '.', ')', ':', ';', '\n']) {
            match word.parse() {
                Ok(number) => drop(numbers.insert(number)),
                Err(_) if ["", "and", "to", "///", "//!"].contains(&word) => {}
                Err(_) => break,
            }
        }
    }
    numbers
}

#[test]
fn every_equation_that_code_cites_exists() {
    let document = read("docs/quantization.md");
    let defined: BTreeSet<u32> = (document.lines())
        .filter_map(|line| line.strip_prefix("    (")?.split_once(')')?.0.parse().ok())
        .collect();
    assert_eq!(defined, (1..=32).collect());
    let mut files = Vec::new();
    for folder in ["reference", "quant", "kernels", "fixtures", "verify"] {
        rust_files(&root().join(folder).join("src"), &mut files);
    }
    let mut cited_somewhere = BTreeSet::new();
    for file in files {
        for number in cited(&fs::read_to_string(&file).unwrap()) {
            assert!(
                defined.contains(&number),
                "{} cites eq. {number}",
                file.display()
            );
            cited_somewhere.insert(number);
        }
    }
    for formula in [
        4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 16, 17, 18, 19, 20, 21, 22,
    ] {
        assert!(
            cited_somewhere.contains(&formula),
            "no code cites eq. {formula}"
        );
    }
}

#[test]
fn the_readme_shows_what_verify_prints() {
    let report = read("verify/tests/snapshots/all__report_snapshots__lab.snap");
    let verdict = read("verify/tests/snapshots/all__verdicts__floor.snap");
    let readme = read("README.md");
    let shown: Vec<&str> = (readme.lines())
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with("lab ") || line.starts_with("network "))
        .collect();
    assert!(shown.len() >= 7, "{shown:?}");
    for line in shown {
        if verdict.contains(line) {
            continue;
        }
        // "…" stands for columns left out.
        for part in line.split('…').map(str::trim) {
            assert!(report.contains(part), "verify does not print {part:?}");
        }
    }
}

#[test]
fn the_readme_shows_a_verdict() {
    let verdict = read("verify/tests/snapshots/all__verdicts__floor.snap");
    let readme = read("README.md");
    let block = readme.split("wrong.py --mistake floor'\n").nth(1).unwrap();
    let block: Vec<&str> = (block.lines())
        .take_while(|line| line.is_empty() || line.starts_with("    "))
        .map(str::trim)
        .filter(|line| !line.is_empty() && *line != "…")
        .collect();
    assert!(block.len() >= 12, "{block:?}");
    for line in block {
        assert!(verdict.contains(line), "the verdict does not say {line:?}");
    }
}

#[test]
fn the_readme_gives_the_networks_figures() {
    let readme = read("README.md");
    let fixtures = fixtures::Fixtures::open(fixtures::Fixtures::committed_root()).unwrap();
    for name in fixtures::NETWORKS {
        let network = fixtures::NetworkFixture::load(&fixtures, name).unwrap();
        let images = fixtures::ImageSet::load(&fixtures, &network.data).unwrap();
        let row = readme
            .lines()
            .find(|line| line.starts_with(&format!("| `{name}` |")))
            .unwrap();
        for predictions in [&network.float.predictions, &network.int8.predictions] {
            let right = predictions
                .iter()
                .zip(&images.labels)
                .filter(|(a, b)| a == b)
                .count();
            let percent = format!("{:.2} %", right as f64 / 100.0);
            assert!(row.contains(&percent), "{row} lacks {percent}");
        }
    }
}
