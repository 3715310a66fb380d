//! A peer: a process that times itself, asked by lines.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Importing a library, compiling a model and running it once.
const LOADING: Duration = Duration::from_secs(300);
/// A round takes milliseconds; the first call of a slow engine may take seconds.
const RUNNING: Duration = Duration::from_secs(120);

/// A running peer; it is killed when it is dropped.
pub(crate) struct Peer {
    child: Child,
    requests: ChildStdin,
    answers: Receiver<std::io::Result<String>>,
    log: PathBuf,
}

/// What a peer made of a workload.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Loaded {
    /// Of the library.
    pub(crate) version: String,
    /// Which of its operators, types and layouts.
    pub(crate) form: String,
    /// What its outputs are.
    pub(crate) compares: Compares,
    /// The shape of its outputs.
    pub(crate) shape: Vec<usize>,
}

/// What a peer's outputs are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Compares {
    /// int8 codes, requantized.
    Codes,
    /// int32 sums.
    Accumulators,
}

#[derive(Deserialize)]
struct Timed {
    nanoseconds: u64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer<T> {
    Error { error: String },
    Good(T),
}

impl Peer {
    /// Starts it; what it prints goes to `log`.
    ///
    /// # Errors
    /// It cannot be started.
    pub(crate) fn start(command: &mut Command, log: PathBuf) -> Result<Self> {
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let shown = command.get_program().display().to_string();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start {shown}"))?;
        let requests = child.stdin.take().context("a peer without input")?;
        let output = child.stdout.take().context("a peer without output")?;
        let (sender, answers) = channel();
        // A thread of its own, so that waiting for a line can end.
        thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            child,
            requests,
            answers,
            log,
        })
    }

    /// Makes the workload's model; its outputs are then in the folder.
    ///
    /// # Errors
    /// The peer cannot, in its own words.
    pub(crate) fn load(&mut self, folder: &Path) -> Result<Loaded> {
        self.ask(&format!("load {}", folder.display()), LOADING)
    }

    /// How long this many calls take, by the peer's own clock.
    ///
    /// # Errors
    /// It fails, ends or takes too long.
    pub(crate) fn run(&mut self, calls: usize) -> Result<Duration> {
        let timed: Timed = self.ask(&format!("run {calls}"), RUNNING)?;
        Ok(Duration::from_nanos(timed.nanoseconds))
    }

    fn ask<T: DeserializeOwned>(&mut self, request: &str, patience: Duration) -> Result<T> {
        if writeln!(self.requests, "{request}").is_err() {
            return Err(self.ended());
        }
        let line = match self.answers.recv_timeout(patience) {
            Ok(line) => line?,
            Err(RecvTimeoutError::Timeout) => bail!("no answer within {} s", patience.as_secs()),
            Err(RecvTimeoutError::Disconnected) => return Err(self.ended()),
        };
        match serde_json::from_str(&line).with_context(|| format!("an answer of {line:?}"))? {
            Answer::Good(answer) => Ok(answer),
            Answer::Error { error } => bail!("{error}"),
        }
    }

    /// Why a peer that does not answer is gone: its status, and the last that it printed.
    fn ended(&mut self) -> anyhow::Error {
        let status = match self.child.wait() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let last = log.lines().rev().find(|line| !line.trim().is_empty());
        anyhow!(
            "ended ({status}): {}",
            last.unwrap_or("nothing printed").trim()
        )
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn peer(script: &str, folder: &Path) -> Peer {
        let mut command = Command::new("sh");
        Peer::start(command.args(["-c", script]), folder.join("log")).unwrap()
    }

    #[test]
    fn answers_errors_and_ends_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let script = r#"read a; echo '{"nanoseconds": 42}'; read b; echo '{"error": "no such op"}'
            read c; echo warning >&2; echo 'cannot go on' >&2; exit 7"#;
        let mut peer = peer(script, folder.path());
        assert_eq!(peer.run(1).unwrap(), Duration::from_nanos(42));
        assert_eq!(peer.run(1).unwrap_err().to_string(), "no such op");
        let end = peer.run(1).unwrap_err().to_string();
        assert!(end.contains("7") && end.ends_with("cannot go on"), "{end}");
    }

    #[test]
    fn a_peer_that_is_silent_is_given_up_and_killed() {
        let folder = tempfile::tempdir().unwrap();
        let mut peer = peer("exec sleep 1000", folder.path());
        let patience = Duration::from_millis(20);
        let error = peer.ask::<Timed>("run 1", patience).err().unwrap();
        assert_eq!(error.to_string(), "no answer within 0 s");
        let id = peer.child.id();
        drop(peer);
        assert!(!Path::new(&format!("/proc/{id}/exe")).exists());
    }
}
