//! Numbers that look random, the same on every machine.

use reference::{Tensor, Weights};

/// A linear congruential generator; its high bits are used.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Seeds that differ in one bit start far apart: they are mixed first (SplitMix64).
    pub fn new(seed: u64) -> Self {
        let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self(z ^ (z >> 31))
    }

    fn next(&mut self) -> u64 {
        self.0 = (self.0)
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        self.0 >> 33
    }

    /// In [−1, 1), of 24 bits.
    pub fn unit(&mut self) -> f32 {
        (self.next() >> 7) as f32 / (1u64 << 23) as f32 - 1.0
    }

    /// Below `n`, which is at least 1.
    pub fn below(&mut self, n: usize) -> usize {
        self.next() as usize % n
    }

    /// True once in `n`.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One of these, of which there is at least one.
    pub fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Values in [−magnitude, magnitude).
    pub fn values(&mut self, count: usize, magnitude: f32) -> Vec<f32> {
        (0..count).map(|_| self.unit() * magnitude).collect()
    }

    /// The same under a shape.
    pub(super) fn tensor(&mut self, shape: &[usize], magnitude: f32) -> Option<Tensor<f32>> {
        Tensor::new(shape, self.values(shape.iter().product(), magnitude)).ok()
    }

    /// Weights of some magnitude, and a bias every other time.
    pub(super) fn weights(&mut self, shape: &[usize]) -> Option<Weights<f32>> {
        let magnitude = 2f32.powi(self.below(9) as i32 - 6);
        let bias = self.one_in(2);
        Some(Weights {
            weight: self.tensor(shape, magnitude)?,
            bias: bias.then(|| self.values(shape[0], magnitude)),
        })
    }
}
