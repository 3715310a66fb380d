//! The virtual environment of the exporter.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::exit::environment;

/// The folder of the only Python.
pub(crate) fn export_folder() -> PathBuf {
    root().join("fixtures/export")
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// A Python that has what the exporter needs: the one given, or a virtual environment
/// that is made and filled here once.
///
/// # Errors
/// There is no Python, or the packages cannot be installed.
pub(crate) fn python(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(python) = given {
        return Ok(python.to_path_buf());
    }
    let (folder, python) = places();
    let requirements = export_folder().join("requirements.txt");
    install(&folder, &python, &requirements, "installed.txt", true)?;
    Ok(python)
}

/// The same with the libraries whose arithmetic is compared with the contracts.
///
/// # Errors
/// As [`python`].
pub(crate) fn python_with_libraries(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(python) = given {
        return Ok(python.to_path_buf());
    }
    let python = self::python(None)?;
    let (folder, _) = places();
    let requirements = export_folder().join("requirements-contracts.txt");
    install(
        &folder,
        &python,
        &requirements,
        "installed-contracts.txt",
        false,
    )?;
    Ok(python)
}

/// The same with the engines that the kernels are timed beside.
///
/// # Errors
/// As [`python`].
pub(crate) fn python_with_peers(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(python) = given {
        return Ok(python.to_path_buf());
    }
    let python = python_with_libraries(None)?;
    let (folder, _) = places();
    let requirements = root().join("kernels/benches/peers/requirements.txt");
    install(
        &folder,
        &python,
        &requirements,
        "installed-peers.txt",
        false,
    )?;
    Ok(python)
}

/// Any Python that has NumPy: that of the exporter, else the first of the path, else the
/// system's, where a package of the system puts it.
///
/// # Errors
/// There is none; nothing is installed.
pub(crate) fn with_numpy() -> Result<PathBuf> {
    let has_numpy = |python: &PathBuf| {
        let call = Command::new(python).args(["-c", "import numpy"]).output();
        call.is_ok_and(|output| output.status.success())
    };
    let (_, python) = places();
    let pythons = [python, "python3".into(), "/usr/bin/python3".into()];
    (pythons.into_iter().find(has_numpy)).ok_or_else(|| {
        environment(
            "no Python with NumPy; on Debian `apt-get install python3-numpy`, or \
             `cargo xtask regen-fixtures` makes one",
        )
    })
}

/// The virtual environment, and its Python.
fn places() -> (PathBuf, PathBuf) {
    let folder = root().join(".venv");
    let python = folder.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    (folder, python)
}

/// Installs a list of packages where it is not installed yet; `afresh` makes the environment
/// anew for it.
fn install(
    folder: &Path,
    python: &Path,
    requirements: &Path,
    marker: &str,
    afresh: bool,
) -> Result<()> {
    let wanted = std::fs::read(requirements)
        .with_context(|| format!("reading {}", requirements.display()))?;
    // Holds the requirements that were installed; written last, so half an install counts as none.
    let installed = folder.join(marker);
    if python.exists() && std::fs::read(&installed).is_ok_and(|text| text == wanted) {
        return Ok(());
    }
    if afresh {
        anstream::eprintln!(
            "making a virtual environment in {} (torch: about 5 GB)",
            folder.display()
        );
        let system = system_python().ok_or_else(|| {
            environment(
                "no python3 of version 3.11 to 3.13 was found; install one, or give --python PATH",
            )
        })?;
        call(
            Command::new(system)
                .args(["-m", "venv", "--clear"])
                .arg(folder),
        )?;
    }
    let mut install = Command::new(python);
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--require-hashes",
        "--requirement",
    ]);
    call(install.arg(requirements))?;
    std::fs::write(&installed, wanted)?;
    Ok(())
}

/// The first Python on the path that the pinned packages support.
pub(crate) fn system_python() -> Option<&'static str> {
    let check =
        "import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))";
    [
        "python3",
        "python3.13",
        "python3.12",
        "python3.11",
        "python",
    ]
    .into_iter()
    .find(|python| {
        let output = Command::new(python).args(["-c", check]).output();
        output.is_ok_and(|output| output.status.success())
    })
}

/// Runs a command to its end.
///
/// # Errors
/// It cannot be started or does not succeed.
pub(crate) fn call(command: &mut Command) -> Result<()> {
    let shown = format!("{command:?}");
    let status = (command.status()).map_err(|error| environment(format!("{shown}: {error}")))?;
    if status.success() {
        Ok(())
    } else {
        Err(environment(format!("{shown} failed ({status})")))
    }
}
