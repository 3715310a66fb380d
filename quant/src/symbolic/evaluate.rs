//! A formula with numbers for its symbols, in exact rational arithmetic.
//!
//! `round` and `clamp` are left out; `relu`, `pool` and the layers' own operations are
//! computed. So two sides that cancel come out equal, entry by entry.

use std::collections::BTreeMap;
use std::ops::Range;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};

use super::FormulaError;
use super::expression::{Expression, Kind, Node, Tensor};
use super::normal::{layer_of, repeated};

/// What a symbol or a part of a formula is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A scale, a zero point, a number.
    Number(BigRational),
    /// A tensor, or a multiple of one.
    Tensor(Entries),
}

/// All entries of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entries {
    /// Which of its layer's tensors.
    pub tensor: Tensor,
    /// The layer; 0 for the input.
    pub layer: u32,
    /// Row-major.
    pub values: Vec<BigRational>,
}

/// Gives symbols their values and layers their operations.
pub trait Assignment {
    /// The value of a symbol; `None` if it has none.
    fn value(&self, kind: Kind, tensor: Tensor, layer: u32) -> Option<Value>;
    /// The layer's own operation, without bias: `W * I`.
    fn apply(&self, layer: u32, weight: &[BigRational], input: &[BigRational]) -> Computed;
    /// A bias spread over the layer's output.
    fn spread(&self, layer: u32, bias: &[BigRational]) -> Computed;
    /// The pool that follows a layer.
    fn pool(&self, layer: u32, output: &[BigRational]) -> Computed;
}

/// The entries of a result; `None` if they are not known.
pub type Computed = Option<Vec<BigRational>>;

type Evaluated = Result<Value, FormulaError>;

/// The value of an expression; `letters` are the values of its free letters.
///
/// # Errors
/// A symbol without a value, or an operation that has no meaning.
pub fn evaluate(
    expression: &Expression,
    assignment: &dyn Assignment,
    letters: &BTreeMap<char, i64>,
) -> Evaluated {
    let span = &expression.span;
    let part = |part: &Expression| evaluate(part, assignment, letters);
    match &expression.node {
        Node::Number(number) => Ok(Value::Number(number.clone())),
        Node::Symbol {
            kind,
            tensor,
            index,
        } => {
            let layer = layer_of(index.as_ref(), letters, span)?;
            assignment
                .value(*kind, *tensor, layer)
                .ok_or_else(|| fail("no value is known for this", span))
        }
        Node::Sum(terms) => {
            let mut sum = Value::Number(BigRational::zero());
            for (negative, term) in terms {
                let mut term = part(term)?;
                if *negative {
                    term = term.map(|x| -x);
                }
                sum = sum.plus(term, assignment, span)?;
            }
            Ok(sum)
        }
        Node::Product(factors) => {
            let mut product = Value::Number(BigRational::one());
            for (divides, factor) in factors {
                let factor = part(factor)?;
                product = if *divides {
                    product.over(&factor, span)?
                } else {
                    product.times(factor, assignment, span)?
                };
            }
            Ok(product)
        }
        Node::Function(name, inner) => {
            let inner = part(inner)?;
            Ok(match (*name, inner) {
                ("relu", inner) => inner.map(|x| x.max(BigRational::zero())),
                ("pool", Value::Tensor(output)) => Value::Tensor(Entries {
                    values: known(assignment.pool(output.layer, &output.values), span)?,
                    ..output
                }),
                (_, inner) => inner,
            })
        }
        Node::Absolute(inner) => Ok(part(inner)?.map(|x| x.abs())),
        Node::Extreme(name, arguments) => {
            let mut extreme: Option<BigRational> = None;
            for argument in arguments {
                let entries = match part(argument)? {
                    Value::Number(number) => vec![number],
                    Value::Tensor(tensor) => tensor.values,
                };
                for entry in entries {
                    extreme = Some(match extreme {
                        None => entry,
                        Some(extreme) if *name == "max" => extreme.max(entry),
                        Some(extreme) => extreme.min(entry),
                    });
                }
            }
            (extreme.map(Value::Number)).ok_or_else(|| fail("nothing to choose from", span))
        }
        Node::Repeated {
            variable,
            from,
            to,
            body,
        } => {
            let mut product = Value::Number(BigRational::one());
            for inner in repeated(*variable, from, to, letters, span)? {
                let factor = evaluate(body, assignment, &inner)?;
                // The first layer is applied first, so it stands last.
                product = factor.times(product, assignment, span)?;
            }
            Ok(product)
        }
    }
}

fn fail(message: &str, span: &Range<usize>) -> FormulaError {
    FormulaError::new(message, span.clone())
}

fn known(values: Computed, span: &Range<usize>) -> Result<Vec<BigRational>, FormulaError> {
    values.ok_or_else(|| fail("no value is known for this", span))
}

/// An integer as a rational.
pub fn integer(value: i64) -> BigRational {
    BigRational::from(BigInt::from(value))
}

impl Value {
    /// `f` of every entry.
    fn map(self, f: impl Fn(BigRational) -> BigRational) -> Self {
        match self {
            Self::Number(number) => Self::Number(f(number)),
            Self::Tensor(tensor) => Self::Tensor(Entries {
                values: tensor.values.into_iter().map(f).collect(),
                ..tensor
            }),
        }
    }

    fn plus(self, other: Self, assignment: &dyn Assignment, span: &Range<usize>) -> Evaluated {
        match (self, other) {
            (Self::Number(number), other) | (other, Self::Number(number)) => {
                Ok(other.map(|x| x + &number))
            }
            (Self::Tensor(a), Self::Tensor(b)) => {
                let (a_kind, b_kind) = (a.tensor, b.tensor);
                let a = a.beside(b_kind, assignment, span)?;
                let b = b.beside(a_kind, assignment, span)?;
                if (a.tensor, a.layer, a.values.len()) != (b.tensor, b.layer, b.values.len()) {
                    return Err(fail("a sum of different tensors", span));
                }
                Ok(Self::Tensor(Entries {
                    values: a
                        .values
                        .into_iter()
                        .zip(b.values)
                        .map(|(a, b)| a + b)
                        .collect(),
                    ..a
                }))
            }
        }
    }

    fn times(self, other: Self, assignment: &dyn Assignment, span: &Range<usize>) -> Evaluated {
        match (self, other) {
            (Self::Number(number), other) | (other, Self::Number(number)) => {
                Ok(other.map(|x| x * &number))
            }
            (Self::Tensor(weight), Self::Tensor(input))
                if weight.tensor == Tensor::Weight
                    && matches!(input.tensor, Tensor::Input | Tensor::Output)
                    && input.layer + 1 == weight.layer =>
            {
                Ok(Self::Tensor(Entries {
                    tensor: Tensor::Output,
                    layer: weight.layer,
                    values: known(
                        assignment.apply(weight.layer, &weight.values, &input.values),
                        span,
                    )?,
                }))
            }
            _ => Err(fail(
                "a product of tensors that is no layer: weights times the layer's input",
                span,
            )),
        }
    }

    fn over(self, divisor: &Self, span: &Range<usize>) -> Evaluated {
        match divisor {
            Self::Number(number) if !number.is_zero() => Ok(self.map(|x| x / number)),
            _ => Err(fail("only numbers other than 0 can divide", span)),
        }
    }
}

impl Entries {
    /// A bias that stands beside an output is spread over it.
    fn beside(
        self,
        other: Tensor,
        assignment: &dyn Assignment,
        span: &Range<usize>,
    ) -> Result<Self, FormulaError> {
        match (self.tensor, other) {
            (Tensor::Bias, Tensor::Output) => Ok(Self {
                tensor: Tensor::Output,
                layer: self.layer,
                values: known(assignment.spread(self.layer, &self.values), span)?,
            }),
            _ => Ok(self),
        }
    }
}
