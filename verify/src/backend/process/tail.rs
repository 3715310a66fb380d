//! What a child says: all of it is read, so that it never waits, and the end is kept.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::backend::folder::shown;

/// The most bytes that are kept of a stream.
const KEPT: usize = 8 << 10;

/// The most lines that are quoted, and the most characters of each.
const LINES: usize = 10;
const CHARACTERS: usize = 200;

/// How long to wait for the end of a stream whose child has ended.
const PATIENCE: Duration = Duration::from_secs(1);

/// A stream that is being read.
pub(super) struct Tail {
    kept: Arc<Mutex<VecDeque<u8>>>,
    ended: Receiver<()>,
}

impl Tail {
    /// Reads a stream in a thread of its own.
    pub(super) fn of(mut stream: impl Read + Send + 'static) -> Self {
        let kept = Arc::new(Mutex::new(VecDeque::new()));
        let (sender, ended) = channel();
        let tail = Arc::clone(&kept);
        thread::spawn(move || {
            let mut buffer = vec![0; 64 << 10];
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
                tail.extend(&buffer[count.saturating_sub(KEPT)..count]);
                let surplus = tail.len().saturating_sub(KEPT);
                tail.drain(..surplus);
            }
            // Nobody may be waiting.
            let _ = sender.send(());
        });
        Self { kept, ended }
    }

    /// The last lines. A process that escaped may hold the stream open: it is not waited for.
    pub(super) fn lines(self) -> Vec<String> {
        let _ = self.ended.recv_timeout(PATIENCE);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(kept.make_contiguous()).into_owned();
        let lines: Vec<&str> = (text.split(['\n', '\r']))
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
            .collect();
        (lines.iter().skip(lines.len().saturating_sub(LINES)))
            .map(|line| shown(line.chars().take(CHARACTERS).collect::<String>()))
            .collect()
    }
}

/// The last words of a child.
pub(super) struct Said {
    /// Of stderr.
    pub(super) errors: Vec<String>,
    /// Of stdout.
    pub(super) output: Vec<String>,
}

impl Said {
    /// As the end of a message: stderr, and the last line of stdout.
    pub(super) fn quoted(&self) -> String {
        let mut text = String::new();
        if let Some(last) = self.output.last() {
            text += &format!("\n  last line on stdout: {last}");
        }
        if !self.errors.is_empty() {
            text += "\n  last lines on stderr:";
        }
        for line in &self.errors {
            text += &format!("\n    {line}");
        }
        text
    }

    /// What is worth telling of a child that ended well.
    pub(super) fn remarks(self) -> Vec<String> {
        self.errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_long_stream_is_kept() {
        let tail = Tail::of(std::io::repeat(b'x').take(10 << 20).chain(&b"\nlast\n"[..]));
        tail.ended.recv().unwrap();
        assert_eq!(tail.kept.lock().unwrap().len(), KEPT);
        let lines = tail.lines();
        assert_eq!(lines, ["x".repeat(CHARACTERS), "last".into()]);
    }

    #[test]
    fn a_stream_that_is_held_open_is_not_waited_for() {
        let (reader, writer) = std::io::pipe().unwrap();
        let tail = Tail::of(reader);
        let start = std::time::Instant::now();
        assert!(tail.lines().is_empty());
        assert!(start.elapsed() < 10 * PATIENCE);
        drop(writer);
    }
}
