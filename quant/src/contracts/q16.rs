//! A multiplier in steps of 2^−16, as hardware courses have it.

use super::channel::Output;
use super::{
    Channel, Class, Contract, ContractError, Evidence, Prepared, Recipe, Requantize, Steps,
};
use crate::Rounding;

/// `K = floor(m·2^16 + ½)`, `y = (acc·K) >> 16`, the product in full; `code = clamp(y + z)`.
pub(super) const Q16_FLOOR: Contract = Contract {
    name: "q16-floor",
    class: Class::alone("q16-floor"),
    formula: "(acc·K) >> 16, then + z; K = floor(m·2^16 + 1/2): floor",
    latex: r"\begin{aligned}
        c &= \operatorname{clamp}(\lfloor 2^{-16} a K \rfloor + z) \\
        K &= \lfloor 2^{16} m + \tfrac{1}{2} \rfloor
        \end{aligned}",
    version: "scale_hw.json of the NTHU course",
    source: "NTHU hw1, hw3 (scales times 2^16)",
    evidence: Evidence::Source,
    prepare: |channel| q16(channel, 0),
};

/// `y = (acc·K + 2^15) >> 16`.
pub(super) const Q16_ROUNDED: Contract = Contract {
    name: "q16-rounded",
    class: Class::alone("q16-rounded"),
    formula: "(acc·K + 2^15) >> 16, then + z; K = floor(m·2^16 + 1/2): up",
    latex: r"\begin{aligned}
        c &= \operatorname{clamp}(\lfloor 2^{-16} (a K + 2^{15}) \rfloor + z) \\
        K &= \lfloor 2^{16} m + \tfrac{1}{2} \rfloor
        \end{aligned}",
    prepare: |channel| q16(channel, 1 << 15),
    ..Q16_FLOOR
};

fn q16(channel: &Channel, half: i64) -> Result<Prepared, ContractError> {
    channel.without_float_bias()?;
    let multiplier = channel.multiplier();
    let constant = (multiplier * 65536.0 + 0.5).floor();
    if constant > f64::from(i32::MAX) {
        return Err(ContractError::MultiplierTooLarge {
            multiplier,
            why: "m·2^16 leaves int32",
        });
    }
    Ok(Box::new(Q16 {
        // 0 to 2³¹ − 1, by the check; 0 is what such a design computes with.
        constant: constant as i32,
        half,
        output: channel.output(),
    }))
}

#[derive(Debug)]
struct Q16 {
    constant: i32,
    half: i64,
    output: Output,
}

impl Requantize for Q16 {
    #[inline]
    fn requantize(&self, acc: i32) -> i32 {
        let product = i64::from(acc) * i64::from(self.constant);
        // Below 2^62 + 2^15: it does not wrap.
        self.output.code(product.wrapping_add(self.half) >> 16)
    }

    fn recipe(&self) -> Option<Recipe> {
        Some(self.output.recipe(Steps::Scale {
            multiplier: self.constant,
            shift: 16,
            rounding: match self.half {
                0 => Rounding::Floor,
                _ => Rounding::HalfUp,
            },
        }))
    }
}
