//! Formulas as LaTeX.

use super::expression::{Equation, Expression, Index, Kind, Node, Tensor};

/// An equation as LaTeX, without dollar signs.
pub fn latex(equation: &Equation) -> String {
    format!("{} = {}", side(&equation.left), side(&equation.right))
}

fn side(expression: &Expression) -> String {
    match &expression.node {
        Node::Number(number) => number.to_string(),
        Node::Symbol {
            kind,
            tensor,
            index,
        } => symbol(*kind, *tensor, index.as_ref()),
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
        Node::Product(factors) => product(factors),
        Node::Transparent(name, inner) => format!("\\operatorname{{{name}}}({})", side(inner)),
        Node::Extreme(name, arguments) => match arguments.as_slice() {
            [
                Expression {
                    node: Node::Absolute(inner),
                    ..
                },
            ] => format!("\\{name}\\left|{}\\right|", side(inner)),
            _ => format!(
                "\\{name}({})",
                arguments.iter().map(side).collect::<Vec<_>>().join(", ")
            ),
        },
        Node::Absolute(inner) => format!("\\left|{}\\right|", side(inner)),
        Node::Repeated {
            variable,
            from,
            to,
            body,
        } => {
            format!(
                "\\prod_{{{variable}={}}}^{{{}}} {}",
                layer(from),
                layer(to),
                side(body)
            )
        }
    }
}

/// A product; what divides goes under a fraction bar.
fn product(factors: &[(bool, Expression)]) -> String {
    let of = |divides: bool| -> Vec<&Expression> {
        factors
            .iter()
            .filter(|(d, _)| *d == divides)
            .map(|(_, factor)| factor)
            .collect()
    };
    let above = join(&of(false));
    match of(true).as_slice() {
        [] => above,
        [one] => format!(
            "\\frac{{{}}}{{{}}}",
            unwrapped(&of(false), above),
            side(one)
        ),
        several => format!(
            "\\frac{{{}}}{{{}}}",
            unwrapped(&of(false), above),
            join(several)
        ),
    }
}

/// A sum alone needs no parentheses above a fraction bar.
fn unwrapped(factors: &[&Expression], joined: String) -> String {
    match factors {
        [one] => side(one),
        _ => joined,
    }
}

/// Scales are multiplied by a dot, a layer's own operation is a star.
fn join(factors: &[&Expression]) -> String {
    let is_tensor = |expression: &Expression| {
        let mut found = false;
        expression.walk(&mut |part| {
            found |= matches!(
                part.node,
                Node::Symbol {
                    kind: Kind::Real | Kind::Code,
                    ..
                }
            );
        });
        found
    };
    let mut text = String::new();
    for (i, factor) in factors.iter().enumerate() {
        if i > 0 {
            let both = is_tensor(factors[i - 1]) && is_tensor(factor);
            text += if both { " * " } else { " \\cdot " };
        }
        text += &match factor.node {
            Node::Sum(_) => format!("\\left({}\\right)", side(factor)),
            Node::Product(_) if i > 0 => format!("\\left({}\\right)", side(factor)),
            _ => side(factor),
        };
    }
    text
}

fn symbol(kind: Kind, tensor: Tensor, index: Option<&Index>) -> String {
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
        Kind::Code => format!("{name}_{{{index}q}}"),
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
