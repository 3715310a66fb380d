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
use super::indices::{layer_of, repeated};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbolic::parse::equation;
    use rstest::rstest;

    /// Two layers of one output: I = (2, −3), W1 = (5, 7), W2 = (−4), β1 = (6).
    struct Tiny;

    impl Assignment for Tiny {
        fn value(&self, kind: Kind, tensor: Tensor, layer: u32) -> Option<Value> {
            if kind == Kind::Scale {
                return (tensor == Tensor::Weight)
                    .then(|| Value::Number(integer(10 * i64::from(layer))));
            }
            let values: &[i64] = match (tensor, layer) {
                (Tensor::Input, 0) => &[2, -3],
                (Tensor::Weight, 1) => &[5, 7],
                (Tensor::Weight, 2) => &[-4],
                (Tensor::Bias, 1) => &[6],
                (Tensor::Output, 1 | 2) => &[-11, 9],
                _ => return None,
            };
            Some(entries(tensor, layer, values))
        }

        fn apply(&self, _: u32, weight: &[BigRational], input: &[BigRational]) -> Computed {
            let products = weight.iter().zip(input).map(|(w, x)| w * x);
            Some(vec![products.sum()])
        }

        fn spread(&self, _: u32, bias: &[BigRational]) -> Computed {
            Some(vec![bias[0].clone(); 2])
        }

        fn pool(&self, _: u32, output: &[BigRational]) -> Computed {
            output.iter().max().map(|most| vec![most.clone()])
        }
    }

    fn entries(tensor: Tensor, layer: u32, values: &[i64]) -> Value {
        Value::Tensor(Entries {
            tensor,
            layer,
            values: values.iter().map(|&value| integer(value)).collect(),
        })
    }

    /// The value of a formula.
    fn value(formula: &str) -> Evaluated {
        let equation = equation(&format!("I = {formula}"), &[]).unwrap();
        evaluate(&equation.right, &Tiny, &BTreeMap::new())
    }

    #[rstest]
    #[case("max(W1)", 7)]
    #[case("min(W1)", 5)]
    #[case("max|I|", 3)]
    #[case("min(sW1, sW2, 15)", 10)]
    #[case("max(sW1, 15, sW2)", 20)]
    #[case("sW2*3/sW1 - 1", 5)]
    #[case("|-sW1|", 10)]
    #[case("\\prod_{i=1}^{3} sWi", 6000)]
    fn of_numbers_a_number(#[case] formula: &str, #[case] expected: i64) {
        assert_eq!(value(formula), Ok(Value::Number(integer(expected))));
    }

    #[rstest]
    #[case("I", (Tensor::Input, 0), &[2, -3])]
    #[case("|I|", (Tensor::Input, 0), &[2, 3])]
    #[case("-I*sW1/2", (Tensor::Input, 0), &[-10, 15])]
    #[case("I + 1", (Tensor::Input, 0), &[3, -2])]
    #[case("W1*I", (Tensor::Output, 1), &[10 - 21])]
    #[case("W2*(W1*I)", (Tensor::Output, 2), &[44])]
    #[case("W2*O1", (Tensor::Output, 2), &[44])]
    #[case("O1 + beta1", (Tensor::Output, 1), &[-5, 15])]
    #[case("beta1 - O1", (Tensor::Output, 1), &[17, -3])]
    #[case("beta1 + beta1", (Tensor::Bias, 1), &[12])]
    #[case("relu(O1)", (Tensor::Output, 1), &[0, 9])]
    #[case("pool(O1)", (Tensor::Output, 1), &[9])]
    #[case("round(O1)", (Tensor::Output, 1), &[-11, 9])]
    fn of_tensors_entry_by_entry(
        #[case] formula: &str,
        #[case] (tensor, layer): (Tensor, u32),
        #[case] expected: &[i64],
    ) {
        assert_eq!(value(formula), Ok(entries(tensor, layer, expected)));
    }

    #[rstest]
    #[case("I*W1", "no layer")]
    #[case("W1*W1", "no layer")]
    #[case("W1*beta1", "no layer")]
    // Right tensors, but of another layer.
    #[case("W2*I", "no layer")]
    #[case("W1*O1", "no layer")]
    // A layer's output and its own input: consecutive, but no weights.
    #[case("O1*I", "no layer")]
    #[case("O2*O1", "no layer")]
    #[case("W1 + I", "a sum of different tensors")]
    #[case("O1 + W1*I", "a sum of different tensors")]
    #[case("O1 + O2", "a sum of different tensors")]
    #[case("I/0", "only numbers other than 0 can divide")]
    #[case("I/W1", "only numbers other than 0 can divide")]
    #[case("O3", "no value is known")]
    #[case("sI", "no value is known")]
    #[case("Wi", "i has no value here")]
    fn what_has_no_meaning_is_said(#[case] formula: &str, #[case] message: &str) {
        let error = value(formula).unwrap_err();
        assert!(error.message.contains(message), "{formula}: {error}");
    }
}
