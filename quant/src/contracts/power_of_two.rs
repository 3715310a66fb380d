//! A multiplier rounded to a power of two: a shift alone.

use std::f64::consts::FRAC_1_SQRT_2;

use super::arithmetic::float::frexp;
use super::arithmetic::shift::shift_right;
use super::channel::Output;
use super::{
    Channel, Class, Contract, ContractError, Evidence, Prepared, Recipe, Requantize, Steps,
};
use crate::Rounding;

const FLOOR: Class = Class {
    name: "power-of-two-floor",
    equal_because: "PULP-NN without a multiplier is the same arithmetic shift",
};

/// `y = acc >> n`, n = round(−log2 m), 0 to 31; `code = clamp(y + z)`.
pub(super) const POWER_OF_TWO_FLOOR: Contract = Contract {
    name: "power-of-two-floor",
    class: FLOOR,
    formula: "acc >> n, then + z; n = round(-log2 m): floor",
    latex: r"\begin{aligned}
        c &= \operatorname{clamp}(\lfloor 2^{-n} a \rfloor + z) \\
        n &= \operatorname{rne}(-\log_2 m)
        \end{aligned}",
    version: "",
    source: "a scale rounded to 2^n, as accelerators without a multiplier have it",
    evidence: Evidence::Model,
    prepare: |channel| {
        channel.without_float_bias()?;
        shifted(channel, Rounding::Floor)
    },
};

/// The PULP-NN kernel with neither batch norm nor ReLU: `clip255(acc >> d)`.
pub(super) const PULP_NN_SHIFT: Contract = Contract {
    name: "pulp-nn-shift",
    formula: "acc >> n, n = round(-log2 m): floor",
    latex: r"\begin{aligned}
        c &= \operatorname{clamp}(\lfloor 2^{-n} a \rfloor) \\
        n &= \operatorname{rne}(-\log_2 m)
        \end{aligned}",
    version: "pulp-nn 288d06b",
    source: "pulp-nn 32bit/src/pulp_nn_utils.c",
    evidence: Evidence::Source,
    prepare: |channel| {
        channel.without_zero_point()?;
        shifted(channel, Rounding::Floor)
    },
    ..POWER_OF_TWO_FLOOR
};

/// `y = (acc + 2^(n−1)) >> n`; acc itself where n = 0.
pub(super) const POWER_OF_TWO_ROUNDED: Contract = Contract {
    name: "power-of-two-rounded",
    class: Class::alone("power-of-two-rounded"),
    formula: "(acc + 2^(n-1)) >> n, then + z; n = round(-log2 m): up",
    latex: r"\begin{aligned}
        c &= \operatorname{clamp}(\lfloor 2^{-n} (a + 2^{n-1}) \rfloor + z) \\
        n &= \operatorname{rne}(-\log_2 m)
        \end{aligned}",
    prepare: |channel| {
        channel.without_float_bias()?;
        shifted(channel, Rounding::HalfUp)
    },
    ..POWER_OF_TWO_FLOOR
};

fn shifted(channel: &Channel, rounding: Rounding) -> Result<Prepared, ContractError> {
    let multiplier = channel.multiplier();
    let (fraction, exponent) = frexp(multiplier);
    // Nearer to ½ or to 1, by ratio: √½ is irrational, so there is no tie.
    let nearest = if fraction < FRAC_1_SQRT_2 {
        exponent - 1
    } else {
        exponent
    };
    let shift = match -nearest {
        shift @ 0..=31 => shift as u32,
        ..0 => {
            return Err(ContractError::MultiplierTooLarge {
                multiplier,
                why: "it shifts to the right only",
            });
        }
        _ => {
            return Err(ContractError::MultiplierTooSmall {
                multiplier,
                why: "a shift of int32 is at most 31 bits",
            });
        }
    };
    Ok(Box::new(Shift {
        shift,
        rounding,
        half: match rounding {
            Rounding::HalfUp => (1 << shift) / 2,
            _ => 0,
        },
        output: channel.output(),
    }))
}

#[derive(Debug)]
struct Shift {
    shift: u32,
    rounding: Rounding,
    half: i64,
    output: Output,
}

impl Requantize for Shift {
    #[inline]
    fn requantize(&self, acc: i32) -> i32 {
        let sum = i64::from(acc).wrapping_add(self.half);
        self.output
            .code(shift_right(sum, self.shift, Rounding::Floor))
    }

    fn recipe(&self) -> Option<Recipe> {
        Some(self.output.recipe(Steps::Scale {
            multiplier: 1,
            shift: self.shift,
            rounding: self.rounding,
        }))
    }
}
