//! Formulas as LaTeX, and with numbers in the place of symbols.

use std::collections::BTreeMap;

use super::expression::{Equation, Expression, Index, Kind, Node, Tensor};
use super::indices::{layer_of, repeated};

/// The number that stands for a symbol of a layer (0: the input).
pub type Numbers<'a> = &'a dyn Fn(Kind, Tensor, u32) -> String;

/// An equation as LaTeX, without dollar signs.
pub fn latex(equation: &Equation) -> String {
    let symbols = Latex { numbers: None };
    let letters = BTreeMap::new();
    format!(
        "{} = {}",
        symbols.side(&equation.left, &letters),
        symbols.side(&equation.right, &letters)
    )
}

/// One side as LaTeX with numbers for its symbols; products over layers are written out.
pub fn latex_in_numbers(expression: &Expression, numbers: Numbers<'_>) -> String {
    let numbers = Latex {
        numbers: Some(numbers),
    };
    numbers.side(expression, &BTreeMap::new())
}

/// One side of `formula` with numbers for its symbols, else as it was written.
pub fn in_numbers(formula: &str, expression: &Expression, numbers: Numbers<'_>) -> String {
    substituted(formula, expression, numbers, &BTreeMap::new())
}

type Letters = BTreeMap<char, i64>;

fn substituted(
    formula: &str,
    expression: &Expression,
    numbers: Numbers<'_>,
    letters: &Letters,
) -> String {
    match &expression.node {
        Node::Symbol {
            kind,
            tensor,
            index,
        } => match layer_of(index.as_ref(), letters, &expression.span) {
            Ok(layer) => numbers(*kind, *tensor, layer),
            Err(_) => formula[expression.span.clone()].to_owned(),
        },
        Node::Repeated { body, .. } => written_out(expression, letters)
            .iter()
            .map(|inner| format!("({})", substituted(formula, body, numbers, inner).trim()))
            .collect::<Vec<_>>()
            .join("*"),
        _ => {
            let (mut text, mut at) = (String::new(), expression.span.start);
            for part in expression.parts() {
                text += &formula[at..part.span.start];
                text += &substituted(formula, part, numbers, letters);
                at = part.span.end;
            }
            text + &formula[at..expression.span.end]
        }
    }
}

/// The letters of each factor of a product over layers; none if its limits have no value.
fn written_out(expression: &Expression, letters: &Letters) -> Vec<Letters> {
    match &expression.node {
        Node::Repeated {
            variable, from, to, ..
        } => repeated(*variable, from, to, letters, &expression.span).unwrap_or_default(),
        _ => Vec::new(),
    }
}

struct Latex<'a> {
    numbers: Option<Numbers<'a>>,
}

impl Latex<'_> {
    fn side(&self, expression: &Expression, letters: &Letters) -> String {
        let side = |part: &Expression| self.side(part, letters);
        match &expression.node {
            Node::Number(number) => number.to_string(),
            Node::Symbol {
                kind,
                tensor,
                index,
            } => {
                let layer = layer_of(index.as_ref(), letters, &expression.span);
                match (self.numbers, layer) {
                    (Some(numbers), Ok(layer)) => power_of_ten(&numbers(*kind, *tensor, layer)),
                    _ => symbol(*kind, *tensor, index.as_ref()),
                }
            }
            Node::Sum(terms) => {
                let mut text = String::new();
                for (i, (negative, term)) in terms.iter().enumerate() {
                    text += match (i, negative) {
                        (0, false) => "",
                        (0, true) => "-",
                        (_, false) => " + ",
                        (_, true) => " - ",
                    };
                    text += &side(term);
                }
                text
            }
            Node::Product(factors) => self.product(factors, letters),
            Node::Function(name, inner) => {
                format!("\\operatorname{{{name}}}\\left({}\\right)", side(inner))
            }
            Node::Extreme(name, arguments) => match arguments.as_slice() {
                [
                    Expression {
                        node: Node::Absolute(inner),
                        ..
                    },
                ] => format!("\\{name}\\left|{}\\right|", side(inner)),
                _ => format!(
                    "\\{name}\\left({}\\right)",
                    arguments.iter().map(side).collect::<Vec<_>>().join(", ")
                ),
            },
            Node::Absolute(inner) => format!("\\left|{}\\right|", side(inner)),
            Node::Repeated { body, .. } if self.numbers.is_some() => {
                written_out(expression, letters)
                    .iter()
                    .map(|inner| format!("({})", self.side(body, inner)))
                    .collect::<Vec<_>>()
                    .join(" \\cdot ")
            }
            Node::Repeated {
                variable,
                from,
                to,
                body,
            } => format!(
                "\\prod_{{{variable}={}}}^{{{}}} {}",
                layer(from),
                layer(to),
                side(body)
            ),
        }
    }

    /// A product; what divides goes under a fraction bar.
    fn product(&self, factors: &[(bool, Expression)], letters: &Letters) -> String {
        let of = |divides: bool| -> Vec<&Expression> {
            let factors = factors.iter().filter(|(d, _)| *d == divides);
            factors.map(|(_, factor)| factor).collect()
        };
        let (above, below) = (of(false), of(true));
        match below.as_slice() {
            [] => self.join(&above, letters),
            _ => format!(
                "\\frac{{{}}}{{{}}}",
                self.alone(&above, letters),
                self.alone(&below, letters)
            ),
        }
    }

    /// A sum alone needs no parentheses above or below a fraction bar.
    fn alone(&self, factors: &[&Expression], letters: &Letters) -> String {
        match factors {
            [one] => self.side(one, letters),
            _ => self.join(factors, letters),
        }
    }

    /// Scales are multiplied by a dot, a layer's own operation is a star.
    fn join(&self, factors: &[&Expression], letters: &Letters) -> String {
        let mut text = String::new();
        for (i, factor) in factors.iter().enumerate() {
            if i > 0 {
                let both = has_tensor(factors[i - 1]) && has_tensor(factor);
                text += if both { " * " } else { " \\cdot " };
            }
            let side = self.side(factor, letters);
            let grouped = match &factor.node {
                Node::Sum(_) => true,
                // A fraction groups itself.
                Node::Product(inner) => factors.len() > 1 && inner.iter().all(|(d, _)| !d),
                _ => false,
            };
            text += &match grouped {
                true => format!("\\left({side}\\right)"),
                false => side,
            };
        }
        text
    }
}

fn has_tensor(expression: &Expression) -> bool {
    let mut found = false;
    expression.walk(&mut |part| {
        let kinds = [Kind::Real, Kind::Code];
        found |= matches!(part.node, Node::Symbol { kind, .. } if kinds.contains(&kind));
    });
    found
}

/// A decimal number as LaTeX: `1.5e-7` as a power of ten.
pub fn power_of_ten(number: &str) -> String {
    match number.split_once('e') {
        Some((mantissa, exponent)) => format!("{mantissa} \\cdot 10^{{{exponent}}}"),
        None => number.to_owned(),
    }
}

fn symbol(kind: Kind, tensor: Tensor, index: Option<&Index>) -> String {
    let comma = index.is_some_and(|index| index.variable.is_some() && index.offset != 0);
    let index = index.map(layer).unwrap_or_default();
    let name = match tensor {
        Tensor::Input => "I",
        Tensor::Weight => "W",
        Tensor::Output => "O",
        Tensor::Bias => "\\beta",
    };
    let whole = match index.as_str() {
        "" => name.to_owned(),
        index => format!("{name}_{{{index}}}"),
    };
    match kind {
        Kind::Real => whole,
        Kind::Code => format!("{name}_{{{index}{}q}}", if comma { "," } else { "" }),
        Kind::Scale => format!("s_{{{whole}}}"),
        Kind::Inverse => format!("n_{{{whole}}}"),
        Kind::ZeroPoint => format!("z_{{{whole}}}"),
        Kind::Multiplier => format!("M_{{{index}}}"),
    }
}

fn layer(index: &Index) -> String {
    match (index.variable, index.offset) {
        (None, offset) => offset.to_string(),
        (Some(letter), 0) => letter.to_string(),
        (Some(letter), offset) => format!("{letter}{offset:+}"),
    }
}

#[cfg(test)]
mod tests {
    use super::power_of_ten;

    #[test]
    fn an_exponent_is_raised() {
        assert_eq!(power_of_ten("1.5e-7"), "1.5 \\cdot 10^{-7}");
        assert_eq!(power_of_ten("0.25"), "0.25");
    }
}
