//! What is printed, whatever the format.

use quant::formulas::conventions::Convention;
use quant::symbolic::check::VALUES;
use quant::symbolic::derive::{NetworkNumbers, Quantity, Section};
use quant::symbolic::expression::{Kind, Tensor};
use quant::symbolic::render;

/// A derivation with its title, and a network's numbers.
pub(super) struct Lecture {
    pub(super) title: String,
    pub(super) convention: Convention,
    pub(super) sections: Vec<Section>,
    pub(super) numbers: Option<NetworkNumbers>,
    /// How many lines there are, all of which cancel.
    pub(super) lines: usize,
}

/// A quantity with its number.
pub(super) struct Numbered<'a> {
    pub(super) quantity: &'a Quantity,
    /// The formula with numbers for its symbols.
    pub(super) text: String,
    pub(super) latex: String,
    pub(super) value: String,
}

impl Lecture {
    /// What the convention is, in a sentence.
    pub(super) fn convention(&self) -> &'static str {
        match self.convention {
            Convention::Relative => "relative convention: s_O divides the accumulator",
            Convention::Multiply => {
                "multiply convention: n = 1/s for every scale, and n_O multiplies the accumulator"
            }
            Convention::Absolute => {
                "absolute convention: s_O is the real value of one output code, \
                 and M multiplies the accumulator"
            }
        }
    }

    /// What was checked, in a sentence.
    pub(super) fn checked(&self) -> String {
        let letter = match (self.sections.iter()).any(|s| s.heading.starts_with("Layer i")) {
            true => format!(
                " Those of layer i were read for i = {} to {}.",
                VALUES.start(),
                VALUES.end()
            ),
            false => String::new(),
        };
        format!(
            "All {} lines cancel: each was brought to a sum of products of tensors with powers of \
             scales, and the factor left over is 1.{letter}",
            self.lines
        )
    }

    /// The numbers of a section; none without a network.
    pub(super) fn numbered<'a>(&self, section: &'a Section) -> Vec<Numbered<'a>> {
        let Some(numbers) = &self.numbers else {
            return Vec::new();
        };
        let symbol =
            |kind: Kind, tensor: Tensor, layer: u32| match numbers.symbol(kind, tensor, layer) {
                Some(value) => shown(value),
                None => "?".into(),
            };
        (section.numbers.iter())
            .map(|quantity| {
                let right = &quantity.equation.right;
                let value = numbers.exactly(right).ok();
                Numbered {
                    text: render::in_numbers(&quantity.formula, right, &symbol),
                    latex: render::latex_in_numbers(right, &symbol),
                    value: value.map_or("?".into(), |value| shown_exact(&value)),
                    quantity,
                }
            })
            .collect()
    }
}

fn shown_exact(value: &num_rational::BigRational) -> String {
    num_traits::ToPrimitive::to_f64(value).map_or("?".into(), shown)
}

/// Six significant digits.
fn shown(value: f64) -> String {
    let magnitude = if value == 0.0 {
        0
    } else {
        value.abs().log10().floor() as i32
    };
    let text = match magnitude {
        -4..=5 => format!("{value:.*}", (5 - magnitude).max(0) as usize),
        _ => {
            let text = format!("{value:.5e}");
            match text.split_once('e') {
                Some((mantissa, exponent)) => format!("{}e{exponent}", trimmed(mantissa)),
                None => text,
            }
        }
    };
    trimmed(&text).to_owned()
}

/// Without zeros at the end of a fraction.
fn trimmed(number: &str) -> &str {
    match number.contains('.') && !number.contains('e') {
        true => number.trim_end_matches('0').trim_end_matches('.'),
        false => number,
    }
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn six_digits_and_no_more() {
        let values = [
            0.0,
            1.0,
            0.007874016,
            2722.123456,
            999_999.5,
            1.23456789e-7,
            5e-9,
            -0.25,
        ];
        let texts = values.map(shown);
        assert_eq!(
            texts,
            [
                "0",
                "1",
                "0.00787402",
                "2722.12",
                "1000000",
                "1.23457e-7",
                "5e-9",
                "-0.25"
            ]
        );
    }
}
