//! The multiplicative bias: an 8-bit multiplier and a shift a channel, eq. 28 and 29.

use crate::contracts::ContractError;
use crate::contracts::sq8::Sq8Scale;

/// Bits of a product of two int8 codes, without the sign.
const PRODUCT_BITS: u32 = 14;

/// Bits that the accumulator and the multiplier share.
const SHARED_BITS: u32 = 31;

/// Eq. 28: the bits that NNTool grants an accumulator of `inputs` products and the bias code
/// `bias`: `max(⌈log2 inputs⌉ + 14, ⌈log2 |bias|⌉)`. The offsets of the zero points are not
/// counted.
pub fn accumulator_bits(inputs: usize, bias: i64) -> u32 {
    let products = log2_up(inputs as u64).unwrap_or(0) + PRODUCT_BITS;
    products.max(log2_up(bias.unsigned_abs()).unwrap_or(0))
}

/// Eq. 28: the most bits of the multiplier of such an accumulator, `min(8, 31 − bits)`; none
/// where it is negative.
pub fn multiplier_bits(inputs: usize, bias: i64) -> Option<u32> {
    let left = SHARED_BITS.checked_sub(accumulator_bits(inputs, bias))?;
    Some(left.min(Sq8Scale::BITS))
}

/// Eq. 29 of a layer's factors `s_I·s_W/s_O`, given as (factor, bits of the multiplier), one an
/// output channel. Where every factor is exactly 1, all are 1 with no shift.
///
/// # Errors
/// The first channel whose factor has no such form, counted from 0.
pub fn multiplicative_bias(
    factors: &[(f64, Option<u32>)],
) -> Result<Vec<Sq8Scale>, (usize, ContractError)> {
    if factors.iter().all(|&(factor, _)| factor == 1.0) {
        return Ok(vec![Sq8Scale::ONE; factors.len()]);
    }
    let of = |(channel, &(factor, bits)): (usize, &(f64, Option<u32>))| {
        let bits = bits.ok_or(ContractError::MultiplierTooSmall {
            multiplier: factor,
            why: "the accumulator takes more than 31 bits and leaves the multiplier none",
        });
        bits.and_then(|bits| Sq8Scale::with_bits(factor, bits))
            .map_err(|error| (channel, error))
    };
    factors.iter().enumerate().map(of).collect()
}

/// ⌈log2 x⌉, of 0 none.
fn log2_up(x: u64) -> Option<u32> {
    Some(u64::BITS - x.checked_sub(1)?.leading_zeros())
}
