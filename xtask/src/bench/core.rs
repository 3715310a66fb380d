//! Which cores a run uses.

use anyhow::Result;

/// Binds this process, and with it all that it starts, to as many cores as there are threads:
/// the last ones that it may use, as the first one serves interrupts. Says which.
///
/// # Errors
/// There are fewer cores than threads, or the system refuses.
#[cfg(target_os = "linux")]
pub(crate) fn pin(allowed: &Allowed, threads: usize) -> Result<Vec<usize>> {
    use rustix::thread::{CpuSet, sched_setaffinity};
    let Some(first) = allowed.0.len().checked_sub(threads) else {
        return Err(crate::exit::environment(format!(
            "{threads} threads need as many cores; this process may use {}",
            allowed.0.len()
        )));
    };
    let cores = allowed.0[first..].to_vec();
    let mut set = CpuSet::new();
    for &core in &cores {
        set.set(core);
    }
    sched_setaffinity(None, &set)?;
    Ok(cores)
}

/// The cores that this process could use when it started.
pub(crate) struct Allowed(Vec<usize>);

impl Allowed {
    /// Asks the system.
    ///
    /// # Errors
    /// The system does not say.
    #[cfg(target_os = "linux")]
    pub(crate) fn new() -> Result<Self> {
        use rustix::thread::{CpuSet, sched_getaffinity};
        let set = sched_getaffinity(None)?;
        Ok(Self(
            (0..CpuSet::MAX_CPU)
                .filter(|&core| set.is_set(core))
                .collect(),
        ))
    }

    /// Elsewhere a process cannot be bound to a core.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(Vec::new()))
    }
}

/// Elsewhere the scheduler decides, and figures vary more.
#[cfg(not(target_os = "linux"))]
pub(crate) fn pin(_: &Allowed, _: usize) -> Result<Vec<usize>> {
    Ok(Vec::new())
}
