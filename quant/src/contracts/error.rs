//! Why a contract cannot be prepared for a channel.

/// A channel that a contract has no result for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ContractError {
    /// A scale that is none.
    #[error("the {which} scale must be positive and finite in float32, got {value:e}")]
    Scale {
        /// Input, weight or output.
        which: &'static str,
        /// The scale given.
        value: f64,
    },
    /// A float bias that is none.
    #[error("the bias must be finite, got {0}")]
    Bias(f32),
    /// No range of 8-bit codes.
    #[error("clamp {low}..{high} is no range of int8 or uint8 codes")]
    Clamp {
        /// Lowest code.
        low: i32,
        /// Highest code.
        high: i32,
    },
    /// No 8-bit code.
    #[error("zero point {0} is no int8 or uint8 code")]
    ZeroPoint(i32),
    /// A format whose codes have no zero point.
    #[error("it knows no zero point, got {0}")]
    NoZeroPoint(i32),
    /// A bias that is an integer by the time this arithmetic sees it.
    #[error("its bias is an integer and part of the accumulator, got a float bias")]
    FloatBias,
    /// A bias whose code leaves int32.
    #[error("bias {0} does not fit int32 at its scale")]
    BiasOverflow(f32),
    /// A multiplier beyond what the format holds.
    #[error("multiplier {multiplier:e} is too large: {why}")]
    MultiplierTooLarge {
        /// input_scale · weight_scale / output_scale.
        multiplier: f64,
        /// What it exceeds.
        why: &'static str,
    },
    /// A multiplier below what the format holds.
    #[error("multiplier {multiplier:e} is too small: {why}")]
    MultiplierTooSmall {
        /// input_scale · weight_scale / output_scale.
        multiplier: f64,
        /// What it falls below.
        why: &'static str,
    },
    /// A window that none can average.
    #[error("a window of {count}: {why}")]
    Window {
        /// Codes or places.
        count: u32,
        /// What is asked of it.
        why: &'static str,
    },
    /// Another grid than the operator has.
    #[error("input and output have one scale and zero point here")]
    Rescaled,
}
