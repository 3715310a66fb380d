//! A child process with a time limit; whatever it started ends with it.

use std::ffi::OsStr;
use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::interrupt::Interrupts;
use super::stray;
use super::tail::{Said, Tail};

/// What became of a child.
pub(super) struct Ended {
    pub(super) end: End,
    pub(super) said: Said,
    /// Processes of it that could not be ended.
    pub(super) left: Vec<u32>,
}

/// How a child ended.
pub(super) enum End {
    /// Exit code 0.
    Well,
    /// Exit code or signal, in words.
    Failed(String),
    /// It was stopped.
    TimeLimit,
    /// The user stopped it.
    Interrupted,
}

/// How often a child is looked at.
const PAUSE: Duration = Duration::from_millis(5);

/// Runs a command to its end, at most for the time limit. `mark` is what its environment holds
/// and that of no other process.
///
/// # Errors
/// It cannot be started.
pub(super) fn run(command: &mut Command, time_limit: Duration, mark: &OsStr) -> io::Result<Ended> {
    // Of its own, so that one signal ends all that it starts.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let interrupts = Interrupts::watch()?;
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().map(Tail::of);
    let errors = child.stderr.take().map(Tail::of);
    let stopped = loop {
        if has_ended(&mut child) {
            break None;
        }
        if interrupts.seen() {
            break Some(End::Interrupted);
        }
        if start.elapsed() >= time_limit {
            break Some(End::TimeLimit);
        }
        thread::sleep(PAUSE);
    };
    kill(&mut child);
    let left = stray::end(mark);
    let status = child.wait()?;
    let lines = |tail: Option<Tail>| tail.map_or_else(Vec::new, Tail::lines);
    Ok(Ended {
        end: stopped.unwrap_or_else(|| of(status)),
        said: Said {
            errors: lines(errors),
            output: lines(output),
        },
        left,
    })
}

/// Whether it has ended. It is not reaped, so that its id stays that of its group.
fn has_ended(child: &mut Child) -> bool {
    #[cfg(unix)]
    if let Some(id) = rustix::process::Pid::from_raw(child.id().cast_signed()) {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        return waitid(WaitId::Pid(id), options).map_or(true, |status| status.is_some());
    }
    !matches!(child.try_wait(), Ok(None))
}

/// Ends it and its group, before it is reaped.
fn kill(child: &mut Child) {
    #[cfg(unix)]
    if let Some(id) = rustix::process::Pid::from_raw(child.id().cast_signed()) {
        // The group may be empty already.
        let _ = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
}

fn of(status: ExitStatus) -> End {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return End::Failed(format!("it was ended by {}", name(signal)));
    }
    match status.code() {
        Some(0) => End::Well,
        Some(code) => End::Failed(format!("it ended with exit code {code}")),
        None => End::Failed(status.to_string()),
    }
}

/// The signals that end a program which has an error.
#[cfg(unix)]
fn name(signal: i32) -> String {
    use rustix::process::Signal;
    let names = [
        (Signal::ABORT, "SIGABRT (it aborted)"),
        (Signal::BUS, "SIGBUS (it crashed: no such memory)"),
        (Signal::FPE, "SIGFPE (it crashed: a division by zero)"),
        (
            Signal::ILL,
            "SIGILL (it crashed: an instruction that this CPU does not have)",
        ),
        (Signal::KILL, "SIGKILL (was there enough memory?)"),
        (Signal::PIPE, "SIGPIPE"),
        (
            Signal::SEGV,
            "SIGSEGV (it crashed: memory that is not its own)",
        ),
        (Signal::TERM, "SIGTERM"),
        (Signal::XCPU, "SIGXCPU (the limit of CPU time)"),
        (Signal::XFSZ, "SIGXFSZ (the limit of a file's size)"),
    ];
    (names.iter())
        .find(|(known, _)| known.as_raw() == signal)
        .map_or_else(
            || format!("signal {signal}"),
            |(_, name)| (*name).to_owned(),
        )
}
