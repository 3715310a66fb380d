//! What a formula says, as it was written.

use std::ops::Range;

use num_rational::BigRational;

/// A tensor of a network; its codes, its scale and its zero point are named after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tensor {
    /// I.
    Input,
    /// W_i.
    Weight,
    /// O_i.
    Output,
    /// β_i.
    Bias,
}

/// Which of the things named after a tensor a symbol is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The real tensor.
    Real,
    /// Its codes: `Wiq`.
    Code,
    /// Its scale: `sWi`.
    Scale,
    /// 1 over its scale: `nWi`.
    Inverse,
    /// Its zero point: `zWi`.
    ZeroPoint,
    /// The layer's multiplier `Mi` (with [`Tensor::Output`]).
    Multiplier,
}

/// A layer: a number, or a letter plus a number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Index {
    /// The letter, if there is one.
    pub variable: Option<char>,
    /// Added to it.
    pub offset: i64,
}

/// A formula, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// What it is.
    pub node: Node,
    /// Where it was written.
    pub span: Range<usize>,
}

/// The forms of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A number.
    Number(BigRational),
    /// A tensor, its codes or its scale.
    Symbol {
        /// Which of them.
        kind: Kind,
        /// Of which tensor.
        tensor: Tensor,
        /// Of which layer; the input has none.
        index: Option<Index>,
    },
    /// A sum of terms, each with whether it is subtracted.
    Sum(Vec<(bool, Expression)>),
    /// A product of factors, each with whether it divides.
    Product(Vec<(bool, Expression)>),
    /// `round`, `clamp`, `relu`, `pool`: what a positive scale passes through.
    Transparent(&'static str, Box<Expression>),
    /// max or min of the entries of one tensor, or of several numbers.
    Extreme(&'static str, Vec<Expression>),
    /// |x|.
    Absolute(Box<Expression>),
    /// Π over a letter.
    Repeated {
        /// The letter.
        variable: char,
        /// Its first value.
        from: Index,
        /// Its last value.
        to: Index,
        /// What is multiplied.
        body: Box<Expression>,
    },
}

impl Expression {
    /// Calls `visit` on this and every part of it.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Expression)) {
        visit(self);
        match &self.node {
            Node::Number(_) | Node::Symbol { .. } => {}
            Node::Sum(parts) | Node::Product(parts) => {
                parts.iter().for_each(|(_, part)| part.walk(visit));
            }
            Node::Extreme(_, parts) => parts.iter().for_each(|part| part.walk(visit)),
            Node::Transparent(_, part) | Node::Absolute(part) => part.walk(visit),
            Node::Repeated { body, .. } => body.walk(visit),
        }
    }

    /// Whether a symbol in it has this letter as its index.
    pub fn mentions(&self, letter: char) -> bool {
        let mut found = false;
        self.walk(&mut |part| match &part.node {
            Node::Symbol {
                index: Some(index), ..
            } => found |= index.variable == Some(letter),
            Node::Repeated { from, to, .. } => {
                found |= [from, to]
                    .iter()
                    .any(|index| index.variable == Some(letter));
            }
            _ => {}
        });
        found
    }
}

/// Two sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equation {
    /// Before the sign.
    pub left: Expression,
    /// After it.
    pub right: Expression,
}
