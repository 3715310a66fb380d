//! Memory that layers work in.

/// Memory that a layer works in; grows to what the largest needs, and is then kept.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    pub(crate) quads: Vec<i32>,
    pub(crate) accumulators: Vec<i32>,
}

/// The first `len` of a buffer that only grows.
pub(crate) fn grow<T: Copy + Default>(buffer: &mut Vec<T>, len: usize) -> &mut [T] {
    if buffer.len() < len {
        buffer.resize(len, T::default());
    }
    &mut buffer[..len]
}
