//! What a long run is at: a spinner on a terminal, elsewhere a line now and then. On stderr.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How often a line is said elsewhere than on a terminal.
const QUIET: Duration = Duration::from_secs(10);

/// Which step a run is at.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Nothing is sent: it ends with the run.
    _running: Sender<()>,
}

impl Progress {
    /// Of a run that starts now.
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        let (running, ended) = channel();
        if bar.is_hidden() {
            let bar = bar.clone();
            std::thread::spawn(move || say_now_and_then(&bar, &ended));
        }
        Self {
            bar,
            _running: running,
        }
    }

    /// The next step begins.
    pub(crate) fn step(&self, what: impl Into<String>) {
        self.bar.set_message(what.into());
    }

    /// A line that stays.
    pub(crate) fn say(&self, line: impl std::fmt::Display) {
        self.bar.suspend(|| anstream::eprintln!("{line}"));
    }
}

fn say_now_and_then(bar: &ProgressBar, ended: &Receiver<()>) {
    while ended.recv_timeout(QUIET) == Err(RecvTimeoutError::Timeout) {
        let seconds = bar.elapsed().as_secs();
        anstream::eprintln!("{} (after {seconds} s)", bar.message());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
