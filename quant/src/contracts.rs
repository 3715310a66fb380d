//! Contracts: how each framework turns an accumulator into a code, bit for bit.
//!
//! One file for each arithmetic: its formula, where it comes from, the names it goes by.
//!
//! | arithmetic | file |
//! | --- | --- |
//! | float32 multiplier, zero point after rounding | `float_before.rs` |
//! | float32 factors, zero point before rounding | `float_after.rs` |
//! | float emulation, float32 division | `float_emulation.rs` |
//! | 31-bit multiplier, rounded up and away | `q31_double.rs` |
//! | 31-bit multiplier, rounded up twice | `q31_up_up.rs` |
//! | 31-bit multiplier, rounded up once | `q31_single.rs` |
//! | float64 product, rounded away | `double_away.rs` |
//! | 15, 8, 24 bits; steps of 2^−16; powers of two | [`tosa_scale16`], [`sq8`], `rndnu.rs`, `q16.rs`, `power_of_two.rs` |
//! | NEMO, PULP-NN | [`nemo`] |
//! | quantize, add, average pool | [`operators`] |
//!
//! [`identify`] says which of them made given codes, [`separate`] what would tell two apart.
//!
//! Symbols: s_i, s_w, s_o the scales of input, weight and output, z the output's zero point,
//! m = s_i·s_w/s_o, F(s) a scale as float32, f32(…) rounded to float32, rne nearest with halves
//! to even, away the same away from zero, up toward +∞.

pub mod arithmetic;
mod channel;
mod contract;
mod double_away;
mod error;
mod float_after;
mod float_before;
mod float_emulation;
pub mod identify;
pub mod nemo;
pub mod operators;
mod power_of_two;
mod q16;
mod q31_double;
mod q31_single;
mod q31_up_up;
mod rndnu;
pub mod separate;
pub mod sq8;
pub mod tosa_scale16;

pub use channel::{Channel, Clamp};
pub use contract::{Class, Contract, Evidence, Prepared, Requantize};
pub use error::ContractError;

/// Every contract, those of a class side by side.
pub const ALL: &[Contract] = &[
    float_before::FBGEMM,
    float_before::X86_LINEAR,
    float_before::ORT,
    float_before::XNNPACK,
    float_before::QNNPACK,
    float_after::ONEDNN_CONV,
    float_after::X86_CONV,
    float_after::ONEDNN_LINEAR,
    float_after::PT2E,
    float_emulation::PT2E_DECOMPOSED,
    float_emulation::FAKE_QUANTIZE,
    float_emulation::DIVISION,
    q31_double::LITERT_REFERENCE_CONV,
    q31_double::TFLITE_MICRO,
    q31_double::GEMMLOWP,
    q31_double::CMSIS_NN,
    q31_double::TOSA,
    q31_single::CMSIS_NN_SINGLE,
    q31_single::TOSA_SINGLE,
    q31_up_up::LITERT_OPTIMIZED,
    q31_up_up::LITERT_OPTIMIZED_FC,
    double_away::LITERT_REFERENCE_FC,
    tosa_scale16::TOSA_SCALE16,
    rndnu::RNDNU,
    sq8::SQ8,
    sq8::SQ8_FLOOR,
    q16::Q16_ROUNDED,
    q16::Q16_FLOOR,
    power_of_two::POWER_OF_TWO_ROUNDED,
    power_of_two::POWER_OF_TWO_FLOOR,
    power_of_two::PULP_NN_SHIFT,
    nemo::NEMO,
    nemo::PULP_NN_QUANT,
    nemo::PULP_NN_BN_QUANT,
];

/// The contract of this name.
pub fn find(name: &str) -> Option<&'static Contract> {
    ALL.iter().find(|contract| contract.name == name)
}
