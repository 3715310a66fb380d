//! What a long run is at: a spinner on a terminal, elsewhere a line now and then. On stderr.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Elsewhere than on a terminal, so long is nothing said.
const QUIET: Duration = Duration::from_secs(10);

/// Which step a run is at.
pub(crate) struct Progress {
    bar: ProgressBar,
    said: Mutex<Instant>,
}

impl Progress {
    /// Of a run that starts now.
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self {
            bar,
            said: Mutex::new(Instant::now()),
        }
    }

    /// The next step begins.
    pub(crate) fn step(&self, what: impl Into<String>) {
        let what = what.into();
        if self.bar.is_hidden() {
            let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.elapsed() >= QUIET {
                *said = Instant::now();
                let seconds = self.bar.elapsed().as_secs();
                anstream::eprintln!("{what} (after {seconds} s)");
            }
        }
        self.bar.set_message(what);
    }

    /// A line that stays.
    pub(crate) fn say(&self, line: impl std::fmt::Display) {
        self.bar.suspend(|| anstream::eprintln!("{line}"));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
