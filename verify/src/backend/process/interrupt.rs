//! Ctrl-C while a backend runs: its group is another one, so the terminal does not end it.

#[cfg(not(unix))]
pub(super) struct Interrupts;

#[cfg(not(unix))]
impl Interrupts {
    pub(super) fn watch() -> std::io::Result<Self> {
        Ok(Self)
    }

    pub(super) fn seen(&self) -> bool {
        false
    }
}

#[cfg(unix)]
pub(super) use unix::Interrupts;

#[cfg(unix)]
mod unix {
    use std::io;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex, PoisonError};

    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag;

    /// While one is held, the signals that would end this process are only noted.
    pub(in super::super) struct Interrupts {
        seen: Arc<AtomicBool>,
    }

    /// Of all that are held.
    struct Shared {
        held: usize,
        /// No backend runs: a signal does what it always does.
        idle: Arc<AtomicBool>,
        seen: Arc<AtomicBool>,
    }

    static SHARED: Mutex<Option<Shared>> = Mutex::new(None);

    impl Interrupts {
        /// From now on.
        ///
        /// # Errors
        /// The system refuses.
        pub(in super::super) fn watch() -> io::Result<Self> {
            let mut slot = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
            if slot.is_none() {
                let (idle, seen) = (Arc::new(AtomicBool::new(true)), Arc::default());
                for signal in [SIGINT, SIGTERM] {
                    flag::register_conditional_default(signal, Arc::clone(&idle))?;
                    flag::register(signal, Arc::clone(&seen))?;
                }
                *slot = Some(Shared {
                    held: 0,
                    idle,
                    seen,
                });
            }
            let shared = slot
                .as_mut()
                .ok_or_else(|| io::Error::other("no signals"))?;
            if shared.held == 0 {
                shared.seen.store(false, Ordering::SeqCst);
                shared.idle.store(false, Ordering::SeqCst);
            }
            shared.held += 1;
            Ok(Self {
                seen: Arc::clone(&shared.seen),
            })
        }

        /// Whether one came.
        pub(in super::super) fn seen(&self) -> bool {
            self.seen.load(Ordering::SeqCst)
        }
    }

    impl Drop for Interrupts {
        fn drop(&mut self) {
            let mut slot = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(shared) = slot.as_mut() {
                shared.held -= 1;
                shared.idle.store(shared.held == 0, Ordering::SeqCst);
            }
        }
    }
}
