//! Average pooling of codes.

/// `(Σ q · ⌊2^16 / count⌋ + 2^15) >> 16`: the quotient is 16 bits, rounded down, so that a mean
/// lies a little nearer to 0 where the count is no power of two. `count` is at least 1.
pub fn mean(sum: i64, count: i64) -> i64 {
    (sum * ((1 << 16) / count) + (1 << 15)) >> 16
}
