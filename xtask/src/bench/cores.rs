//! Which cores a run uses.

use anyhow::Result;

use crate::exit::environment;

/// The cores that this process may use; none where the system cannot bind a process to a core.
///
/// # Errors
/// The system does not say.
pub(crate) fn allowed() -> Result<Vec<usize>> {
    #[cfg(target_os = "linux")]
    {
        use rustix::thread::{CpuSet, sched_getaffinity};
        let set = sched_getaffinity(None)?;
        Ok((0..CpuSet::MAX_CPU)
            .filter(|&core| set.is_set(core))
            .collect())
    }
    #[cfg(not(target_os = "linux"))]
    Ok(Vec::new())
}

/// Binds this thread, and with it all threads and processes that it starts, to as many cores as
/// there are threads. Says which; none where the system cannot.
///
/// # Errors
/// There are fewer cores than threads, or the system refuses.
pub(crate) fn bind(allowed: &[usize], threads: usize) -> Result<Vec<usize>> {
    if allowed.is_empty() {
        return Ok(Vec::new());
    }
    let cores = last(allowed, threads)?;
    #[cfg(target_os = "linux")]
    {
        use rustix::thread::{CpuSet, sched_setaffinity};
        let mut set = CpuSet::new();
        cores.iter().for_each(|&core| set.set(core));
        sched_setaffinity(None, &set)?;
    }
    Ok(cores)
}

/// The last ones: the first often serves the system's interrupts.
fn last(allowed: &[usize], threads: usize) -> Result<Vec<usize>> {
    let first = allowed.len().checked_sub(threads).ok_or_else(|| {
        let cores = allowed.len();
        environment(format!(
            "{threads} threads need as many cores; this process may use {cores}"
        ))
    })?;
    Ok(allowed[first..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_cores_are_used_and_too_few_are_an_error() {
        assert_eq!(last(&[0, 2, 5], 1).unwrap(), [5]);
        assert_eq!(last(&[0, 2, 5], 2).unwrap(), [2, 5]);
        let error = last(&[3], 2).unwrap_err().to_string();
        assert_eq!(
            error,
            "2 threads need as many cores; this process may use 1"
        );
    }
}
