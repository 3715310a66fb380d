//! What the contracts are made of: shifts, Q31 products, floats cut to 32 bits.

pub mod float;
pub mod q31;
pub mod shift;
