//! `cargo xtask regen-fixtures`: PyTorch writes, this only moves and compares.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use fixtures::Fixtures;

use crate::exit::{Exit, environment};
use crate::exporter::{Export, script};
use crate::python;
use crate::verify::kernel_sets;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Export to a temporary folder and compare: integers and images byte for byte,
    /// floats within their derived bound. Changes nothing.
    #[arg(long)]
    check: bool,
    /// Train the networks anew; needs --data.
    #[arg(long, requires = "data", conflicts_with = "check")]
    retrain: bool,
    /// A folder with the official files (mnist/, cifar-10-batches-bin/): make images and
    /// the predictions for all 10,000 test images anew.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// What to know about a copy of a data set, kept in the fixtures.
    #[arg(long, value_name = "NAME=TEXT", requires = "data")]
    data_note: Vec<String>,
    /// Instead: what other libraries compute, for the contracts. Their outputs are those of this
    /// kind of CPU (the committed ones: AVX512-VNNI).
    #[arg(long, conflicts_with_all = ["retrain", "data", "data_note"])]
    contracts: bool,
    /// A Python that has the pinned packages, instead of the virtual environment.
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
}

/// Each fills one folder of the fixtures.
const CONTRACT_SCRIPTS: [&str; 2] = ["contracts.py", "operator_contracts.py"];
/// What they exit with when something is not as committed.
const DIFFERENT: i32 = 3;

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    if arguments.contracts {
        return contracts(arguments);
    }
    let export = Export {
        python: arguments.python.as_deref(),
        data: arguments.data.as_deref(),
        data_note: &arguments.data_note,
        retrain: arguments.retrain,
    };
    let exported = export.run()?;
    let fresh = Fixtures::open(exported.data())?;
    let files = fresh.check_all()?;
    let committed = Fixtures::committed_root();
    if !arguments.check {
        replace(&exported.data(), &committed)?;
        anstream::println!("{files} files written to {}", committed.display());
        return Ok(Exit::Equal);
    }
    let found = verify::fixture_differences(&Fixtures::open(&committed)?, &fresh, &kernel_sets()?)?;
    for difference in &found.differences {
        anstream::println!("{difference}");
    }
    if found.within_bounds > 0 {
        anstream::println!(
            "files of rounded floats that differ, and may (another CPU sums in another order): {}",
            found.within_bounds
        );
    }
    if found.differences.is_empty() {
        anstream::println!("{files} files are as committed");
        return Ok(Exit::Equal);
    }
    anstream::println!(
        "differences: {}; `cargo xtask regen-fixtures` replaces the committed files",
        found.differences.len()
    );
    Ok(Exit::Mismatch)
}

/// Runs the scripts that ask other libraries; each replaces its own folder.
fn contracts(arguments: &Arguments) -> Result<Exit> {
    let python = python::python_with_libraries(arguments.python.as_deref())?;
    let mut exit = Exit::Equal;
    for name in CONTRACT_SCRIPTS {
        let mut script = script(&python, name);
        script.arg("--data").arg(Fixtures::committed_root());
        if arguments.check {
            script.arg("--check");
        }
        let status = (script.status()).map_err(|error| environment(format!("{name}: {error}")))?;
        match status.code() {
            Some(0) => {}
            Some(DIFFERENT) => exit = Exit::Mismatch,
            _ => return Err(environment(format!("{name} failed ({status})"))),
        }
    }
    // What was written is read back, hash by hash.
    let files = Fixtures::open(Fixtures::committed_root())?.check_all()?;
    anstream::println!("{files} files have the hashes that the manifest gives them");
    Ok(exit)
}

/// Puts `fresh` in the place of `target` in one step where the system can, and never
/// leaves neither.
fn replace(fresh: &Path, target: &Path) -> Result<()> {
    if !target.exists() {
        return fs::rename(fresh, target).with_context(|| format!("writing {}", target.display()));
    }
    if exchange(fresh, target) {
        return Ok(());
    }
    let old = fresh.with_file_name("replaced");
    fs::rename(target, &old).with_context(|| format!("moving {}", target.display()))?;
    if let Err(error) = fs::rename(fresh, target) {
        fs::rename(&old, target).with_context(|| format!("restoring {}", target.display()))?;
        bail!("writing {}: {error}", target.display());
    }
    Ok(())
}

/// Swaps two folders atomically; false where the system cannot.
fn exchange(a: &Path, b: &Path) -> bool {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).is_ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (a, b);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replace_swaps_and_makes() {
        let folder = tempfile::tempdir().unwrap();
        let [fresh, target] = ["fresh", "target"].map(|name| folder.path().join(name));
        for round in ["first", "second"] {
            fs::create_dir(&fresh).unwrap();
            fs::write(fresh.join("file"), round).unwrap();
            replace(&fresh, &target).unwrap();
            assert_eq!(fs::read_to_string(target.join("file")).unwrap(), round);
            let _ = fs::remove_dir_all(&fresh);
        }
    }
}
