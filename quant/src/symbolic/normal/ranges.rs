//! max, min and |·|: what scales are made from.

use std::ops::Range;

use super::{Atom, Bindings, Evaluated, Reading, Sum, Word, integer};
use crate::formulas::QMAX;
use crate::symbolic::FormulaError;
use crate::symbolic::expression::{Expression, Node, Tensor};
use crate::symbolic::monomial::{Monomial, Scale};

/// Steps from the lowest to the highest of all 8-bit codes.
const ALL_STEPS: i64 = u8::MAX as i64;

impl Reading {
    /// |x| outside max: of a number its magnitude; of a tensor another tensor.
    pub(super) fn absolute(
        &self,
        inner: &Expression,
        bindings: &Bindings,
        span: &Range<usize>,
    ) -> Evaluated {
        let value = self.evaluate(inner, bindings)?;
        let one_sided = value.scalar().is_some_and(|scalar| {
            let side = |scale: &Scale| matches!(scale, Scale::Highest(..) | Scale::Lowest(..));
            scalar.powers().keys().any(side)
        });
        if one_sided {
            return Err(FormulaError::new(
                "the magnitude of one end alone is not known; write max|x| or max(|min(x)|, |max(x)|)",
                span.clone(),
            ));
        }
        Ok(value.applied("abs"))
    }

    /// max|x| is the range of eq. 3 and 10; max(x) and min(x) are one end of it; of numbers
    /// both are the one that they are.
    pub(super) fn extreme(
        &self,
        name: &str,
        arguments: &[Expression],
        bindings: &Bindings,
        span: &Range<usize>,
    ) -> Evaluated {
        if let Some(of) = both_ends(name, arguments) {
            let [low, high] = of.map(|end| self.evaluate(end, bindings));
            let (low, high) = (low?, high?);
            if low == high && !low.is_number() {
                return Ok(Sum::number(&self.known_range(&low, of[0])?));
            }
        }
        if let [
            Expression {
                node: Node::Absolute(inner),
                ..
            },
        ] = arguments
        {
            let value = self.evaluate(inner, bindings)?;
            if let Some(scalar) = value.scalar() {
                return Ok(Sum::number(&scalar.abs()));
            }
            if name == "max" {
                return Ok(Sum::number(&self.known_range(&value, inner)?));
            }
            return Err(FormulaError::new(
                "the least magnitude makes no scale: write max|x|",
                span.clone(),
            ));
        }
        let mut result: Option<Monomial> = None;
        for argument in arguments {
            let value = self.evaluate(argument, bindings)?;
            let number = match value.scalar() {
                Some(scalar) => scalar,
                None => self.end(name, &value, argument)?,
            };
            if result.as_ref().is_some_and(|result| *result != number) {
                let message = format!("the {name} of different things");
                return Err(FormulaError::new(message, span.clone()));
            }
            result = Some(number);
        }
        Ok(Sum::number(&result.unwrap_or(Monomial::one())))
    }

    /// max(x) or min(x) of a multiple of a tensor.
    fn end(
        &self,
        name: &str,
        value: &Sum,
        argument: &Expression,
    ) -> Result<Monomial, FormulaError> {
        let (tensor, layer, factor) = self.multiple(value).ok_or_else(|| unknown(argument))?;
        let highest = (name == "max") == (factor.abs() == factor);
        Ok(factor.times(&Monomial::scale(match highest {
            true => Scale::Highest(tensor, layer),
            false => Scale::Lowest(tensor, layer),
        })))
    }

    fn known_range(&self, value: &Sum, argument: &Expression) -> Result<Monomial, FormulaError> {
        let (tensor, layer, factor) = self.multiple(value).ok_or_else(|| unknown(argument))?;
        let range = match tensor {
            Tensor::Bias => Monomial::scale(Scale::BiasRange(layer)),
            // The scale was made so that the range is 127 steps.
            _ => self.code_step(tensor, layer).times(&integer(QMAX as i64)),
        };
        Ok(factor.abs().times(&range))
    }

    /// Of which tensor this is a multiple.
    fn multiple(&self, value: &Sum) -> Option<(Tensor, u32, Monomial)> {
        let layers = value.words().flatten().filter_map(|atom| match atom {
            Atom::Weight(i) | Atom::Bias(i) => Some(*i),
            _ => None,
        });
        let layer = layers.max().unwrap_or(0);
        let candidates = match layer {
            0 => vec![Tensor::Input],
            _ => vec![Tensor::Output, Tensor::Weight, Tensor::Bias],
        };
        (candidates.into_iter())
            .find_map(|tensor| Some((tensor, layer, value.quotient(&self.real(tensor, layer))?)))
    }

    /// max(x) − min(x) of one tensor is 255 steps of its codes, with a zero point.
    pub(super) fn with_spans(&self, mut sum: Sum) -> Sum {
        for monomial in sum.monomials(&Word::new()) {
            for (&scale, &power) in monomial.powers() {
                let Scale::Highest(tensor, layer) = scale else {
                    continue;
                };
                let other = (monomial.inverse())
                    .and_then(|_| Monomial::scale(scale).inverse())
                    .map(|inverse| monomial.times(&inverse))
                    .filter(|_| power == 1);
                let Some(factor) = other else { continue };
                let lowest = factor.times(&Monomial::scale(Scale::Lowest(tensor, layer)));
                let negated = lowest.times(&integer(-1));
                if sum.monomials(&Word::new()).contains(&negated) {
                    let span = self.code_step(tensor, layer).times(&integer(ALL_STEPS));
                    sum.add(Word::new(), &monomial.times(&integer(-1)));
                    sum.add(Word::new(), &lowest);
                    sum.add(Word::new(), &factor.times(&span));
                    self.spans.set(true);
                }
            }
        }
        sum
    }
}

/// The operands of `max(|min(x)|, |max(x)|)`, in either order.
fn both_ends<'a>(name: &str, arguments: &'a [Expression]) -> Option<[&'a Expression; 2]> {
    let end = |argument: &'a Expression| match &argument.node {
        Node::Absolute(inner) => match &inner.node {
            Node::Extreme(end, operands) if operands.len() == 1 => Some((*end, &operands[0])),
            _ => None,
        },
        _ => None,
    };
    let [first, second] = arguments else {
        return None;
    };
    let ((a, low), (b, high)) = (end(first)?, end(second)?);
    (name == "max" && a != b).then_some([low, high])
}

fn unknown(argument: &Expression) -> FormulaError {
    FormulaError::new(
        "the range of this is not known: it is no multiple of I, of a weight or of an output before ReLU and pool",
        argument.span.clone(),
    )
}
