//! Fetching what will be read soon.

/// Bytes of a cache line.
#[cfg(target_arch = "x86_64")]
const LINE: usize = 64;

/// Asks for codes in the second-level cache. The hardware fetches ahead within a page of memory
/// only, and an image begins in another one than the last.
pub(crate) fn soon(codes: &[i8]) {
    #[cfg(target_arch = "x86_64")]
    for line in codes.chunks(LINE) {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: SSE is part of x86_64; a hint reads nothing and cannot fault.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(line.as_ptr()) };
    }
    // The other instruction sets have no stable intrinsic for it.
    #[cfg(not(target_arch = "x86_64"))]
    let _ = codes;
}
