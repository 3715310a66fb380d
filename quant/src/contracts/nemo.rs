//! NEMO's integer deployment, and the PULP-NN kernels that DORY feeds with its constants.
//!
//! `ε_in = s_i·s_w`, `ε_out = s_o`: `D = 2^d`, `d = ceil(log2(32·ε_out/ε_in))`, at most 24 for
//! 8-bit codes; `K = rne(D·ε_in/ε_out)`. There are no zero points.

use super::arithmetic::float::frexp;
use super::arithmetic::shift::shift_right;
use super::channel::Output;
use super::{Class, Contract, ContractError, Evidence, Recipe, Requantize, Steps};
use crate::Rounding;

/// `code = clamp(floor(t·K/D))`.
pub(super) const NEMO: Contract = Contract {
    name: "nemo",
    class: Class::alone("nemo"),
    formula: "floor(acc·K / D), D = 2^ceil(log2(32·so/(si·sw))), K = rne(D·m)",
    latex: r"\begin{aligned}
        c &= \operatorname{clamp}(\lfloor 2^{-d} a K \rfloor) \\
        K &= \operatorname{rne}(2^d m),\quad d = \min(\lceil \log_2 (32 / m) \rceil, 24)
        \end{aligned}",
    version: "nemo 5ea3338",
    source: "nemo/quant/pact.py",
    evidence: Evidence::Source,
    prepare: |channel| {
        channel.without_zero_point()?;
        Ok(Box::new(Nemo {
            constants: Constants::new(channel.multiplier())?,
            output: channel.output(),
        }))
    },
};

/// Without batch norm: `clip255(int16((m·acc) >> d))`. The result wraps to int16 before the clip.
pub(super) const PULP_NN_QUANT: Contract = Contract {
    name: "pulp-nn-quant",
    class: Class::alone("pulp-nn-quant"),
    formula: "int16((K·acc) >> d) in int32, clipped after it wrapped; K, d of NEMO",
    latex: r"\begin{aligned}
        c &= \operatorname{clamp}(\operatorname{wrap}_{16}(\lfloor 2^{-d} \operatorname{wrap}_{32}(a K) \rfloor)) \\
        K &= \operatorname{rne}(2^d m),\quad d = \min(\lceil \log_2 (32 / m) \rceil, 24)
        \end{aligned}",
    version: "pulp-nn 288d06b",
    source: "pulp-nn 32bit/src/pulp_nn_utils.c",
    evidence: Evidence::Source,
    prepare: |channel| {
        channel.without_zero_point()?;
        Ok(Box::new(PulpQuant {
            constants: Constants::new(channel.multiplier())?,
            output: channel.output(),
        }))
    },
};

/// With batch norm: `clip255((k·acc + λ) >> d)` in int32, which wraps; λ = 0 here, since the
/// bias is in the accumulator.
pub(super) const PULP_NN_BN_QUANT: Contract = Contract {
    name: "pulp-nn-bn-quant",
    class: Class::alone("pulp-nn-bn-quant"),
    formula: "(K·acc + lambda) >> d in int32, which wraps; K, d of NEMO",
    latex: r"\begin{aligned}
        c &= \operatorname{clamp}(\lfloor 2^{-d} \operatorname{wrap}_{32}(a K + \lambda) \rfloor),\quad \lambda = 0 \\
        K &= \operatorname{rne}(2^d m),\quad d = \min(\lceil \log_2 (32 / m) \rceil, 24)
        \end{aligned}",
    prepare: |channel| {
        channel.without_zero_point()?;
        Ok(Box::new(PulpBnQuant {
            constants: Constants::new(channel.multiplier())?,
            output: channel.output(),
        }))
    },
    ..PULP_NN_QUANT
};

/// A multiplier `mantissa · 2^−shift`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Constants {
    mantissa: i32,
    shift: u32,
}

impl Constants {
    fn new(multiplier: f64) -> Result<Self, ContractError> {
        // ceil(log2(32/m)), m = f·2^e with f in [½, 1): −log2 f is above 0 and at most 1.
        let (_, exponent) = frexp(multiplier);
        let shift = 6 - exponent;
        let Ok(shift) = u32::try_from(shift.min(24)) else {
            return Err(ContractError::MultiplierTooLarge {
                multiplier,
                why: "NEMO's D would be less than 1",
            });
        };
        let mantissa = (multiplier * f64::from(1 << shift)).round_ties_even();
        if mantissa == 0.0 {
            return Err(ContractError::MultiplierTooSmall {
                multiplier,
                why: "NEMO's K would be 0",
            });
        }
        // At most 64: D is at most 64/m.
        let mantissa = mantissa as i32;
        Ok(Self { mantissa, shift })
    }

    /// The kernels' int32 product.
    fn wrapping(self, bits: u32) -> Steps {
        Steps::Wrapping {
            offset: 0,
            multiplier: self.mantissa,
            half: 0,
            shift: self.shift,
            bits,
        }
    }
}

/// `(k·acc + lambda) >> d` in int32, which wraps: before the clip of pulp_nn_bn_quant_u8.
#[inline]
pub fn pulp_nn_bn_quant(acc: i32, k: i32, lambda: i32, d: u32) -> i32 {
    k.wrapping_mul(acc).wrapping_add(lambda) >> d.min(31)
}

/// `int16((m·acc) >> d)`, the product wrapping to int32, the result to int16: before the clip of
/// pulp_nn_quant_u8.
#[inline]
pub fn pulp_nn_quant(acc: i32, m: i32, d: u32) -> i16 {
    pulp_nn_bn_quant(acc, m, 0, d) as i16
}

#[derive(Debug)]
struct Nemo {
    constants: Constants,
    output: Output,
}

impl Requantize for Nemo {
    #[inline]
    fn requantize(&self, acc: i32) -> i32 {
        let Constants { mantissa, shift } = self.constants;
        let product = i64::from(acc) * i64::from(mantissa);
        self.output
            .code(shift_right(product, shift, Rounding::Floor))
    }

    fn recipe(&self) -> Option<Recipe> {
        Some(self.output.recipe(Steps::Scale {
            multiplier: self.constants.mantissa,
            shift: self.constants.shift,
            rounding: Rounding::Floor,
        }))
    }
}

#[derive(Debug)]
struct PulpQuant {
    constants: Constants,
    output: Output,
}

impl Requantize for PulpQuant {
    #[inline]
    fn requantize(&self, acc: i32) -> i32 {
        let Constants { mantissa, shift } = self.constants;
        self.output
            .code(i64::from(pulp_nn_quant(acc, mantissa, shift)))
    }

    fn recipe(&self) -> Option<Recipe> {
        Some(self.output.recipe(self.constants.wrapping(16)))
    }
}

#[derive(Debug)]
struct PulpBnQuant {
    constants: Constants,
    output: Output,
}

impl Requantize for PulpBnQuant {
    #[inline]
    fn requantize(&self, acc: i32) -> i32 {
        let Constants { mantissa, shift } = self.constants;
        self.output
            .code(i64::from(pulp_nn_bn_quant(acc, mantissa, 0, shift)))
    }

    fn recipe(&self) -> Option<Recipe> {
        Some(self.output.recipe(self.constants.wrapping(32)))
    }
}
