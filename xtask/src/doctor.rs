//! `cargo xtask doctor`: what is missing here, for which verb, and how to get it.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use fixtures::Fixtures;
use owo_colors::OwoColorize;

use crate::exit::Exit;
use crate::python::{root, system_python};

struct Finding {
    verb: &'static str,
    needs: &'static str,
    found: std::result::Result<String, String>,
}

/// Exit code 0 even where something is missing: most verbs need nothing.
pub(crate) fn run() -> Result<Exit> {
    for Finding { verb, needs, found } in findings() {
        match found {
            Ok(what) => anstream::println!("{} {verb:15} {needs}: {what}", "ok     ".green()),
            Err(how) => anstream::println!("{} {verb:15} {needs}: {how}", "missing".yellow()),
        }
    }
    Ok(Exit::Equal)
}

fn findings() -> Vec<Finding> {
    let finding = |verb, needs, found| Finding { verb, needs, found };
    let mut findings = vec![
        finding("verify", "committed fixtures", committed()),
        finding("verify", "kernels for this CPU", isas()),
        finding(
            "regen-fixtures",
            "Python 3.11 to 3.13 with venv",
            system_python().map(str::to_owned).ok_or_else(|| {
                "install python3 and python3-venv, or give --python PATH".to_owned()
            }),
        ),
        finding("regen-fixtures", "virtual environment", environment()),
        finding("bench --peers", "the same, with the peers", peers()),
        finding("bench --peers", "g++", tool("g++", "install g++")),
        finding("insta review", "cargo-insta", cargo_tool("insta")),
        finding("mutants", "cargo-mutants", cargo_tool("mutants")),
        finding("fuzz", "cargo-fuzz", cargo_tool("fuzz")),
        finding("fuzz", "C++ compiler", tool("c++", "install g++ or clang")),
        finding(
            "check-exports",
            "Python with NumPy",
            crate::python::with_numpy()
                .map(|python| python.display().to_string())
                .map_err(|error| error.to_string()),
        ),
    ];
    findings.extend(
        (crate::check_exports::needs().into_iter())
            .map(|(program, found)| finding("check-exports", program, found)),
    );
    findings
}

fn committed() -> std::result::Result<String, String> {
    let check = || {
        let fixtures = Fixtures::open(Fixtures::committed_root())?;
        let files = fixtures.check_all()?;
        let torch = fixtures.manifest().producer("torch");
        Ok(format!(
            "{files} files, hashes right, made by torch {torch}"
        ))
    };
    check().map_err(|error: fixtures::FixtureError| error.to_string())
}

fn isas() -> std::result::Result<String, String> {
    crate::verify::kernel_sets()
        .map(|sets| {
            sets.iter()
                .map(|set| set.isa().name())
                .collect::<Vec<_>>()
                .join(", ")
        })
        .map_err(|error| error.to_string())
}

fn environment() -> std::result::Result<String, String> {
    let folder = root().join(".venv");
    if Path::new(&folder.join("installed.txt")).exists() {
        Ok("made".to_owned())
    } else {
        Err("`cargo xtask regen-fixtures` makes it (about 5 GB)".to_owned())
    }
}

fn peers() -> std::result::Result<String, String> {
    if root().join(".venv/installed-peers.txt").exists() {
        Ok("made".to_owned())
    } else {
        Err("`cargo xtask bench --peers` makes it".to_owned())
    }
}

fn cargo_tool(name: &str) -> std::result::Result<String, String> {
    let output = Command::new("cargo").args([name, "--version"]).output();
    version(output).ok_or_else(|| format!("cargo install --locked cargo-{name}"))
}

fn tool(name: &str, how: &str) -> std::result::Result<String, String> {
    version(Command::new(name).arg("--version").output()).ok_or_else(|| how.to_owned())
}

fn version(output: std::io::Result<std::process::Output>) -> Option<String> {
    let output = output.ok().filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout);
    Some(text.lines().next().unwrap_or_default().to_owned())
}
