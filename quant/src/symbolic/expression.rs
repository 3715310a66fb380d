//! What a formula says, as it was written.

use std::collections::BTreeSet;
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

impl Tensor {
    /// Its name in a layer, as a person writes it.
    pub fn name(self, layer: u32) -> String {
        match self {
            Self::Input => "I".into(),
            Self::Weight => format!("W{layer}"),
            Self::Output => format!("O{layer}"),
            Self::Bias => format!("beta{layer}"),
        }
    }
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
    /// `round`, `clamp`, `relu`, `pool`.
    Function(&'static str, Box<Expression>),
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
    /// What it is directly made of, in the order in which it was written.
    pub fn parts(&self) -> Vec<&Expression> {
        match &self.node {
            Node::Number(_) | Node::Symbol { .. } => Vec::new(),
            Node::Sum(parts) | Node::Product(parts) => parts.iter().map(|(_, part)| part).collect(),
            Node::Extreme(_, parts) => parts.iter().collect(),
            Node::Function(_, part) | Node::Absolute(part) => vec![part],
            Node::Repeated { body, .. } => vec![body],
        }
    }

    /// Calls `visit` on this and every part of it.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Expression)) {
        visit(self);
        self.parts().into_iter().for_each(|part| part.walk(visit));
    }

    /// The letters in it that no product binds.
    pub fn free_letters(&self) -> BTreeSet<char> {
        let mut letters: BTreeSet<char> =
            (self.parts().into_iter().flat_map(Self::free_letters)).collect();
        match &self.node {
            Node::Symbol { index, .. } => {
                letters.extend(index.iter().filter_map(|index| index.variable));
            }
            Node::Repeated {
                variable, from, to, ..
            } => {
                letters.remove(variable);
                letters.extend([from, to].iter().filter_map(|index| index.variable));
            }
            _ => {}
        }
        letters
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
