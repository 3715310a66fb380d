//! Memory that starts on a cache line.

use std::ops::{Deref, DerefMut};

/// Bytes of a cache line, and of the widest vector: a load that starts there touches one line.
const LINE: usize = 64;

/// A slice that starts on a cache line. A load of 64 bytes from anywhere else takes two cycles
/// instead of one.
#[derive(Debug)]
pub struct Aligned<T> {
    memory: Vec<T>,
    start: usize,
}

impl<T: Copy + Default> Aligned<T> {
    /// A copy of these values.
    pub fn new(values: &[T]) -> Self {
        let mut aligned = Self::empty(values.len());
        aligned.memory.extend_from_slice(values);
        aligned
    }

    /// `len` times the same value.
    pub fn filled(value: T, len: usize) -> Self {
        let mut aligned = Self::empty(len);
        aligned.memory.resize(aligned.start + len, value);
        aligned
    }

    /// With room for `len`, so that the memory stays where it is.
    fn empty(len: usize) -> Self {
        let most = LINE / size_of::<T>();
        let mut memory: Vec<T> = Vec::with_capacity(len + most);
        // Where an alignment cannot be known nothing depends on it but speed.
        let start = memory.as_ptr().align_offset(LINE).min(most);
        memory.resize(start, T::default());
        Self { memory, start }
    }
}

impl<T> Deref for Aligned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.memory[self.start..]
    }
}

impl<T> DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.memory[self.start..]
    }
}

impl<T: Copy + Default> Clone for Aligned<T> {
    /// As aligned, elsewhere.
    fn clone(&self) -> Self {
        Self::new(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Copy + Default + PartialEq + std::fmt::Debug>(values: &[T], one: T) {
        let kept: Vec<Aligned<T>> = (0..20)
            .map(|len| Aligned::new(&values[..len]))
            .flat_map(|aligned| [aligned.clone(), aligned])
            .collect();
        for (at, aligned) in kept.iter().enumerate() {
            assert_eq!(aligned[..], values[..at / 2]);
            assert_eq!(aligned.as_ptr() as usize % LINE, 0);
        }
        let mut filled = Aligned::filled(one, 70);
        assert_eq!(filled[..], [one; 70]);
        assert_eq!(filled.as_ptr() as usize % LINE, 0);
        filled[69] = T::default();
        assert_eq!(filled[68..], [one, T::default()]);
    }

    #[test]
    fn slices_and_their_clones_start_on_a_cache_line() {
        check(&(1..=20).collect::<Vec<u8>>(), 7u8);
        check(&(1..=20).collect::<Vec<i32>>(), -7);
    }
}
