//! What a tool left that nobody asked for: named, never opened, never followed.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::OUTPUTS;
use crate::backend::Problem;

/// The most names that are looked at, in a folder or beside the outputs.
const LOOKED_AT: usize = 1_000;

/// The most that are shown.
const SHOWN: usize = 20;

/// A name that came from outside, without what a terminal would obey.
pub(in crate::backend) fn shown(name: impl AsRef<OsStr>) -> String {
    let name = name.as_ref().to_string_lossy();
    if name.contains(char::is_control) {
        name.escape_debug().to_string()
    } else {
        name.into_owned()
    }
}

/// A problem for each entry of a folder that is none of the known; `prefix` stands before
/// their names.
///
/// # Errors
/// The folder cannot be read.
pub(super) fn surplus(
    folder: &Path,
    prefix: &str,
    what: &str,
    known: impl Fn(&OsStr) -> bool,
) -> io::Result<Vec<Problem>> {
    let mut names = BTreeSet::new();
    // The known ones do not count, so that they hide nothing.
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        if !known(&name) {
            names.insert(PathBuf::from(name));
        }
        if names.len() > LOOKED_AT {
            break;
        }
    }
    Ok(problems(&names, prefix, what))
}

/// What lies in a trial's folder before a tool runs in it.
pub(in crate::backend) struct Before(BTreeSet<PathBuf>);

impl Before {
    /// Takes note of a folder.
    ///
    /// # Errors
    /// It cannot be read.
    pub(in crate::backend) fn of(folder: &Path) -> io::Result<Self> {
        walk(folder, |_| true).map(Self)
    }

    /// A problem for everything new beside the outputs.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(in crate::backend) fn beside(&self, folder: &Path) -> io::Result<Vec<Problem>> {
        // What is new is named, not searched.
        let now = walk(folder, |path| self.0.contains(path))?;
        let fresh: BTreeSet<PathBuf> = now.difference(&self.0).cloned().collect();
        Ok(problems(
            &fresh,
            "../",
            &format!("lies beside {OUTPUTS}/ and is not read; write to {OUTPUTS}/<case>/"),
        ))
    }
}

/// Everything in a folder but its outputs, relative to it; `enter` says which folders are
/// looked into.
fn walk(folder: &Path, enter: impl Fn(&Path) -> bool) -> io::Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(folder.join(&at))? {
            let entry = entry?;
            let path = at.join(entry.file_name());
            if path.as_os_str() == OUTPUTS {
                continue;
            }
            if entry.file_type()?.is_dir() && enter(&path) {
                folders.push(path.clone());
            }
            found.insert(path);
            if found.len() > LOOKED_AT {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

fn problems(names: &BTreeSet<PathBuf>, prefix: &str, what: &str) -> Vec<Problem> {
    let problem = |name: String, what: String| Problem {
        file: format!("{prefix}{name}"),
        what,
    };
    let mut problems: Vec<Problem> = (names.iter().take(SHOWN))
        .map(|name| problem(shown(name), what.to_owned()))
        .collect();
    let count = |rest: usize| match names.len() > LOOKED_AT {
        true => format!("more than {rest}"),
        false => rest.to_string(),
    };
    if let Some(rest @ 1..) = names.len().checked_sub(SHOWN) {
        problems.push(problem(
            "*".into(),
            format!("{} more: each {what}", count(rest)),
        ));
    }
    problems
}
