//! Processes that left the group of the child that started them: found by a mark in their
//! environment, which they inherit.

use std::ffi::OsStr;

/// Ends every process whose environment holds the mark. Returns those that go on.
///
/// Only Linux says what a process inherited; elsewhere, and where one has overwritten its
/// environment, the group alone is ended.
pub(super) fn end(mark: &OsStr) -> Vec<u32> {
    #[cfg(target_os = "linux")]
    {
        use std::time::{Duration, Instant};
        let start = Instant::now();
        loop {
            // One may start another while it is being ended.
            let left = linux::end_once(mark);
            if left.is_empty() || start.elapsed() > Duration::from_secs(2) {
                return left;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = mark;
        Vec::new()
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;

    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

    /// Sends each the signal; returns those that were there.
    pub(super) fn end_once(mark: &OsStr) -> Vec<u32> {
        let Ok(processes) = fs::read_dir("/proc") else {
            return Vec::new();
        };
        (processes.flatten())
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|&id| end_marked(id, mark).is_some())
            .collect()
    }

    fn end_marked(id: u32, mark: &OsStr) -> Option<()> {
        // Before its environment is read, so that its id cannot become another's in between.
        let process = pidfd_open(Pid::from_raw(id.cast_signed())?, PidfdFlags::empty()).ok()?;
        let environment = fs::read(format!("/proc/{id}/environ")).ok()?;
        let mut entries = environment.split(|&byte| byte == 0);
        entries.find(|entry| *entry == mark.as_bytes())?;
        pidfd_send_signal(&process, Signal::KILL).ok()
    }
}
