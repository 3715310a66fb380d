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
//! [`identify`] says which of them made given codes, [`separate`] what would tell two apart,
//! [`certify`] which are equal on every accumulator of a range, [`reachable`] what that range is
//! in a network, [`directed`] a few outputs that identify each, [`rates`] how often they differ.
//! [`Recipe`] is a prepared contract as data.
//!
//! Symbols: s_i, s_w, s_o the scales of input, weight and output, z the output's zero point,
//! m = s_i·s_w/s_o, F(s) a scale as float32, f32(…) rounded to float32, rne nearest with halves
//! to even, away the same away from zero, up toward +∞. Those of the formulas in LaTeX are
//! [`SYMBOLS`].

pub mod arithmetic;
pub mod certify;
mod channel;
mod contract;
pub mod directed;
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
pub mod rates;
pub mod reachable;
mod recipe;
mod rndnu;
pub mod separate;
pub mod sq8;
pub mod tosa_scale16;

pub use channel::{Channel, Clamp};
pub use contract::{Class, Contract, Evidence, Prepared, Requantize};
pub use error::ContractError;
pub use recipe::{MultiplyShift, Recipe, Steps};

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

/// The contracts of each class.
pub fn classes() -> Vec<&'static [Contract]> {
    ALL.chunk_by(|a, b| a.class == b.class).collect()
}

/// The first contract of each class.
pub fn one_of_each_class() -> Vec<&'static Contract> {
    classes().iter().map(|class| &class[0]).collect()
}

/// What the symbols in [`Contract::latex`] mean: each in LaTeX, and in words.
pub const SYMBOLS: &[(&str, &str)] = &[
    ("a", "the accumulator, an int32 with the integer bias in it"),
    ("c", "the code that is made of it"),
    (
        r"s_i,\ s_w,\ s_o",
        "the scales of input, weight and output, as given",
    ),
    ("z", "the zero point of the output"),
    ("b", "a bias in real units, 0 where there is none"),
    (
        "m",
        "the multiplier: where a formula does not say otherwise, the input scale times the weight \
         scale over the output scale, in float64",
    ),
    (
        r"\hat{x} = \operatorname{f32}(x)",
        "x rounded to float32, to nearest, halves to even",
    ),
    (
        r"x \otimes y,\ x \oplus y,\ x \oslash y",
        "product, sum and quotient in float32, each rounded once",
    ),
    (
        r"\operatorname{rr}(s) = 1 \oslash \operatorname{f32}(1 / s)",
        "a reciprocal of a reciprocal, the inner quotient in float64",
    ),
    (r"l,\ h", "the lowest and the highest code"),
    (
        r"\operatorname{clamp}(x) = \min(\max(x, l), h)",
        "x within the codes there are",
    ),
    (
        r"\operatorname{sat}_{16}(x)",
        "x within int16; what int32 does not hold becomes its lowest value",
    ),
    (
        r"\operatorname{wrap}_{k}(x)",
        "the low k bits of x, in two's complement",
    ),
    (
        r"\operatorname{rne}(x),\ \operatorname{away}(x),\ \lfloor x \rfloor",
        "to the nearest integer, halves to even; the same, halves away from zero; the floor, \
         which is an arithmetic shift",
    ),
    (
        r"(q, e) = Q_k(m)",
        "m, in float64, is a fraction from 1/2 to 1 times 2 to the e, and q is that fraction times \
         2 to the k, rounded away; where that gives 2 to the k, half of it, and e + 1; for k = 31 \
         an e below -31 makes both 0",
    ),
];

/// The contract of this name.
pub fn find(name: &str) -> Option<&'static Contract> {
    ALL.iter().find(|contract| contract.name == name)
}
