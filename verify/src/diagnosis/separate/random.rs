//! Numbers that look random, the same every time.

/// SplitMix64.
pub(super) struct Random(pub(super) u64);

impl Random {
    /// 0 to `end` − 1; `end` at least 1. The bias of the remainder does not matter here.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end.max(1)
    }

    /// An integer from `low` to `high`, both among them.
    pub(super) fn within(&mut self, low: f64, high: f64) -> f64 {
        low + self.below((high - low) as u64 + 1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers that the generator's authors give for the seed 1234567.
    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        let mut random = Random(1234567);
        let numbers: Vec<u64> = (0..3).map(|_| random.below(u64::MAX)).collect();
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        assert_eq!(numbers, published);
    }

    #[test]
    fn both_ends_are_met_and_nothing_beyond() {
        let mut random = Random(0);
        let mut met: Vec<f64> = (0..200).map(|_| random.within(-3.0, 2.0)).collect();
        met.sort_by(f64::total_cmp);
        met.dedup();
        assert_eq!(met, [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0]);
        assert_eq!(random.within(7.0, 7.0), 7.0);
    }
}
