//! A backend that is a command: it is started once with the folder of the cases as its last
//! argument, and writes its tensors there.
//!
//! Whatever it does, it ends within the time limit, and neither a process nor a folder of it
//! is left.

mod child;
mod interrupt;
mod scratch;
mod stray;
mod tail;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use child::{End, Ended};
use scratch::Scratch;

use super::folder::{self, Before, FolderError, shown};
use super::{Answer, Backend, BackendError, Problem, Trial};

/// How long a backend may take if nothing else is said.
pub const TIME_LIMIT: Duration = Duration::from_secs(120);

/// The verb with which the host of C libraries is called: `HOST VERB LIBRARY DIR`.
pub const LIBRARY_HOST: &str = "library-host";

/// The folder of the cases, as the command sees it in its environment too.
const VARIABLE: &str = "KARAT_TRIAL";

/// A command that answers in a folder.
#[derive(Debug)]
pub struct Process {
    name: String,
    program: OsString,
    arguments: Vec<OsString>,
    time_limit: Duration,
    remarks: Vec<String>,
}

/// The backend that `--backend TEXT` means: a C library if it ends as one, else a command line.
/// `host` is the executable that loads libraries: the one that has the verb [`LIBRARY_HOST`].
///
/// # Errors
/// A library that is not there, or a text that is no command line.
pub fn backend_of(
    text: &str,
    time_limit: Duration,
    host: &Path,
) -> Result<Box<dyn Backend>, BackendError> {
    let path = Path::new(text);
    let ending = path.extension().and_then(|ending| ending.to_str());
    let name = path.file_name().and_then(|name| name.to_str());
    // `libkernel.so.1` too.
    let is_library = ending.is_some_and(|ending| ["so", "dylib", "dll"].contains(&ending))
        || name.is_some_and(|name| name.contains(".so."));
    // `./run.sh some.so` is a command, `my kernels/some.so` a library.
    let is_one = || shlex::split(text).is_none_or(|words| words.len() == 1);
    Ok(Box::new(if is_library && (path.exists() || is_one()) {
        Process::library(path, time_limit, host)?
    } else {
        Process::command(text, time_limit)?
    }))
}

impl Process {
    /// A command line, split into words as a shell would.
    ///
    /// # Errors
    /// An open quote, or no word at all.
    pub fn command(text: &str, time_limit: Duration) -> Result<Self, BackendError> {
        let wrong = |why: &str| BackendError::Command {
            text: text.to_owned(),
            why: why.to_owned(),
        };
        let words = shlex::split(text)
            .ok_or_else(|| wrong("a quote is not closed, or a backslash ends the line"))?;
        let mut words = words.into_iter().map(OsString::from);
        let program = words.next().filter(|program| !program.is_empty());
        Ok(Self {
            name: shown(text.trim()),
            program: program.ok_or_else(|| wrong("expected a command or a library"))?,
            arguments: words.collect(),
            time_limit,
            remarks: Vec::new(),
        })
    }

    /// A C library of `verify/include/karat.h`, loaded by another process: `host` under the
    /// verb [`LIBRARY_HOST`].
    ///
    /// # Errors
    /// It is not there.
    pub fn library(path: &Path, time_limit: Duration, host: &Path) -> Result<Self, BackendError> {
        let name = shown(path);
        // Absolute, so that the loader does not look for it among the system's.
        let found = std::fs::metadata(path).and_then(|_| std::path::absolute(path));
        let library = found.map_err(|error| BackendError::Start {
            name: name.clone(),
            why: error.to_string(),
        })?;
        Ok(Self {
            name,
            program: host.into(),
            arguments: vec![LIBRARY_HOST.into(), library.into()],
            time_limit,
            remarks: Vec::new(),
        })
    }

    fn answers(&mut self, trial: &Trial, path: &Path) -> Result<Vec<Answer>, BackendError> {
        folder::write_cases(trial, path)?;
        let unreadable = |error: std::io::Error| FolderError::Read {
            path: path.to_owned(),
            why: error.to_string(),
        };
        let before = Before::of(path).map_err(unreadable)?;
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).arg(path).env(VARIABLE, path);
        let mark = [VARIABLE.as_ref(), path.as_os_str()].join("=".as_ref());
        let Ended { end, said, left } =
            child::run(&mut command, self.time_limit, &mark).map_err(|error| self.start(&error))?;
        let name = self.name.clone();
        let stderr = said.quoted();
        match end {
            End::Well => {}
            End::Failed(how) => return Err(BackendError::Failed { name, how, stderr }),
            End::TimeLimit => {
                let seconds = self.time_limit.as_secs();
                return Err(BackendError::TimeLimit {
                    name,
                    seconds,
                    stderr,
                });
            }
            End::Interrupted => return Err(BackendError::Interrupted { name }),
        }
        let answers = folder::read(trial, path);
        let mut answers = match answers {
            Err(FolderError::Empty { .. }) => Vec::new(),
            other => other?,
        };
        let mut problems = before.beside(path).map_err(unreadable)?;
        problems.extend(left.into_iter().map(|process| Problem {
            file: "../".into(),
            what: format!("process {process} goes on and cannot be ended"),
        }));
        if answers.is_empty() && problems.is_empty() {
            return Err(BackendError::Silent { name, stderr });
        }
        self.remarks = said.remarks();
        attach(&mut answers, trial, problems);
        Ok(answers)
    }

    /// Why it cannot be started, and what to do.
    fn start(&self, error: &std::io::Error) -> BackendError {
        use std::io::ErrorKind;
        let program = PathBuf::from(&self.program);
        let shown = shown(&self.program);
        let why = match error.kind() {
            ErrorKind::NotFound if program.exists() => {
                format!("the interpreter in the first line of {shown} is not there")
            }
            ErrorKind::NotFound => format!("there is no program {shown}"),
            ErrorKind::PermissionDenied => format!(
                "{shown} is not executable; make it so with `chmod +x`, or name its interpreter"
            ),
            _ if error.raw_os_error() == Some(NO_PROGRAM) => format!(
                "{shown} is neither a program of this machine nor a script whose first line \
                 names its interpreter"
            ),
            _ => format!("{shown}: {error}"),
        };
        BackendError::Start {
            name: self.name.clone(),
            why,
        }
    }
}

/// ENOEXEC.
const NO_PROGRAM: i32 = 8;

/// What concerns no case is a problem of the first.
fn attach(answers: &mut Vec<Answer>, trial: &Trial, problems: Vec<Problem>) {
    if problems.is_empty() {
        return;
    }
    if answers.is_empty() {
        answers.push(Answer {
            probe: trial.probes[0].name.clone(),
            ..Answer::default()
        });
    }
    answers[0].problems.extend(problems);
}

impl Backend for Process {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn run(&mut self, trial: &Trial) -> Result<Vec<Answer>, BackendError> {
        let scratch = Scratch::new().map_err(FolderError::from)?;
        let mut answers = self.answers(trial, scratch.path());
        let path = scratch.path().to_owned();
        if let (Err(error), Ok(answers)) = (scratch.remove(), &mut answers) {
            let problem = Problem {
                file: "../".into(),
                what: format!("{} cannot be removed: {error}", path.display()),
            };
            attach(answers, trial, vec![problem]);
        }
        answers
    }

    fn remarks(&self) -> Vec<String> {
        self.remarks.clone()
    }
}
