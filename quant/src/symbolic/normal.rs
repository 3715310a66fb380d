//! The normal form: a sum of products of real tensors, each with monomials in the scales.
//!
//! Codes are replaced by their unrounded ratios, outputs by what they are computed from. A
//! ReLU or a pool stays where it was written, and only a positive factor passes through it;
//! an equation in which a layer has none is read without. `round` and `clamp` are left out,
//! once it is clear that what they are applied to is a code.

mod ranges;
mod sum;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use num_bigint::BigInt;
use num_rational::BigRational;

use super::FormulaError;
use super::expression::{Equation, Expression, Kind, Node, Tensor};
use super::indices::{Bindings, MOST_LAYERS, MOST_STEPS, layer_of, repeated, symbols};
use super::monomial::{Monomial, Scale};
use crate::formulas::conventions::Convention;

pub use sum::{Atom, Sum, Word};

/// The largest sum that is expanded.
const MOST_TERMS: usize = 512;
/// The longest number that products of numbers may grow to.
const MOST_BITS: u64 = 4096;

/// What an equation is read under.
pub struct Reading {
    convention: Convention,
    /// What the equation writes, with every letter's values.
    symbols: BTreeSet<(Tensor, u32)>,
    /// Of these the tensors themselves, real or codes.
    tensors: BTreeSet<(Tensor, u32)>,
    /// Layers whose bias the equation mentions: the others have none.
    biased: BTreeSet<u32>,
    /// Tensors whose zero point it mentions: the others' are 0.
    shifted: BTreeSet<(Tensor, u32)>,
    /// What the equation applies to the output of a layer, first to last: the others' outputs
    /// are handed on as they are.
    activations: BTreeMap<u32, Vec<&'static str>>,
    /// What stands where it must not, though both sides be equal.
    problems: RefCell<Vec<String>>,
    /// A scale is made from max − min.
    spans: Cell<bool>,
    steps: Cell<u32>,
}

type Evaluated = Result<Sum, FormulaError>;

impl Reading {
    /// The reading of an equation in a convention, with its free letters bound.
    pub fn new(equation: &Equation, convention: Convention, bindings: &Bindings) -> Self {
        let mut reading = Self {
            convention,
            symbols: BTreeSet::new(),
            tensors: BTreeSet::new(),
            biased: BTreeSet::new(),
            shifted: BTreeSet::new(),
            activations: BTreeMap::new(),
            problems: RefCell::default(),
            spans: Cell::new(false),
            steps: Cell::new(0),
        };
        for side in [&equation.left, &equation.right] {
            for (kind, tensor, layer) in symbols(side, bindings) {
                reading.symbols.insert((tensor, layer));
                if matches!(kind, Kind::Real | Kind::Code) {
                    reading.tensors.insert((tensor, layer));
                }
                if tensor == Tensor::Bias {
                    reading.biased.insert(layer);
                }
                if kind == Kind::ZeroPoint {
                    reading.shifted.insert((tensor, layer));
                }
            }
        }
        for side in [&equation.left, &equation.right] {
            reading.find_activations(side, bindings);
        }
        reading
    }

    /// What stands where it must not.
    pub fn problems(&self) -> Vec<String> {
        self.problems.borrow().clone()
    }

    /// What was taken for granted, as the equation does not say it.
    pub fn taken(&self) -> Vec<String> {
        let mut taken = Vec::new();
        if self.spans.get() {
            taken.push("codes with a zero point, 255 steps".to_owned());
        }
        let layers: Vec<u32> = (self.tensors.iter())
            .filter_map(|(tensor, layer)| (*tensor == Tensor::Weight).then_some(*layer))
            .collect();
        let others = [Tensor::Input, Tensor::Output];
        if layers.is_empty()
            || !self
                .tensors
                .iter()
                .any(|(tensor, _)| others.contains(tensor))
        {
            return taken;
        }
        let without: Vec<String> = (layers.iter())
            .filter(|layer| !self.biased.contains(layer))
            .map(u32::to_string)
            .collect();
        if !without.is_empty() {
            taken.push(format!("no bias in layer {}", without.join(", ")));
        }
        if self.shifted.is_empty() {
            taken.push("zero points 0".to_owned());
        }
        taken
    }

    /// The longest chain of ReLU and pool on each layer's output.
    fn find_activations(&mut self, expression: &Expression, bindings: &Bindings) {
        let (mut chain, mut inner) = (Vec::new(), expression);
        while let Node::Function(name @ ("relu" | "pool"), next) = &inner.node {
            chain.push(*name);
            inner = next;
        }
        if !chain.is_empty() {
            let layers =
                symbols(inner, bindings)
                    .into_iter()
                    .filter_map(|(kind, tensor, layer)| {
                        let computed = matches!(tensor, Tensor::Weight | Tensor::Output);
                        (computed && matches!(kind, Kind::Real | Kind::Code)).then_some(layer)
                    });
            if let Some(layer) = layers.max() {
                chain.reverse();
                self.activations.entry(layer).or_insert(chain);
            }
        }
        for part in inner.parts() {
            self.find_activations(part, bindings);
        }
    }

    /// The normal form of one side.
    ///
    /// # Errors
    /// A part that is no scaled tensor.
    pub fn evaluate(&self, expression: &Expression, bindings: &Bindings) -> Evaluated {
        let span = &expression.span;
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > MOST_STEPS {
            return Err(FormulaError::new("too long to multiply out", span.clone()));
        }
        let sum = match &expression.node {
            Node::Number(number) => Sum::number(&Monomial::number(number.clone())),
            Node::Symbol {
                kind,
                tensor,
                index,
            } => {
                let layer = layer_of(index.as_ref(), bindings, span)?;
                self.symbol(*kind, *tensor, layer, span)?
            }
            Node::Sum(terms) => {
                let mut sum = Sum::default();
                for (negative, term) in terms {
                    let term = self.evaluate(term, bindings)?;
                    sum = sum.plus(&match negative {
                        true => term.scaled(&integer(-1)),
                        false => term,
                    });
                }
                self.with_spans(sum)
            }
            Node::Product(factors) => self.product(factors, bindings)?,
            Node::Function(name, inner) => {
                let inner = self.evaluate(inner, bindings)?;
                match *name {
                    "round" | "clamp" => {
                        self.must_be_code(name, &inner, span)?;
                        inner
                    }
                    _ => inner.applied(name),
                }
            }
            Node::Absolute(inner) => self.absolute(inner, bindings, span)?,
            Node::Extreme(name, arguments) => self.extreme(name, arguments, bindings, span)?,
            Node::Repeated {
                variable,
                from,
                to,
                body,
            } => {
                let mut product = Sum::number(&Monomial::one());
                for inner in repeated(*variable, from, to, bindings, span)? {
                    let factor = self.evaluate(body, &inner)?;
                    // The first layer is applied first, so it stands last.
                    product = within(&factor, &product, span)?;
                }
                product
            }
        };
        if sum.len() > MOST_TERMS || sum.bits() > MOST_BITS {
            return Err(FormulaError::new(
                "multiplies out to too many terms or too long numbers",
                span.clone(),
            ));
        }
        Ok(sum)
    }

    fn product(&self, factors: &[(bool, Expression)], bindings: &Bindings) -> Evaluated {
        let mut product = Sum::number(&Monomial::one());
        for (divides, factor) in factors {
            let value = self.evaluate(factor, bindings)?;
            if !divides {
                product = within(&product, &value, &factor.span)?;
                continue;
            }
            let inverse = value.scalar().and_then(|scalar| scalar.inverse());
            let inverse = inverse.ok_or_else(|| {
                FormulaError::new(
                    "only scales and numbers can divide, not tensors, sums or 0",
                    factor.span.clone(),
                )
            })?;
            product = product.scaled(&inverse);
        }
        Ok(product)
    }

    /// What is rounded is a code, less its zero point or not; what is clamped is a code.
    fn must_be_code(
        &self,
        name: &str,
        inner: &Sum,
        span: &Range<usize>,
    ) -> Result<(), FormulaError> {
        for &(tensor, layer) in &self.symbols {
            let code = self.symbol(Kind::Code, tensor, layer, span)?;
            let shifted = self.shifted.contains(&(tensor, layer));
            let centred = code
                .clone()
                .plus(&zero_point(tensor, layer).scaled(&integer(-1)));
            if *inner == code || (name == "round" && shifted && *inner == centred) {
                return Ok(());
            }
        }
        self.problems.borrow_mut().push(format!(
            "what {name} is applied to is no code: {name} belongs around all of a ratio like W1/sW1{}",
            if name == "clamp" { ", the zero point included" } else { "" }
        ));
        Ok(())
    }

    fn symbol(&self, kind: Kind, tensor: Tensor, layer: u32, span: &Range<usize>) -> Evaluated {
        if layer > MOST_LAYERS {
            let message = format!("layer {layer}: at most {MOST_LAYERS} are expanded");
            return Err(FormulaError::new(message, span.clone()));
        }
        let inverse = |monomial: Monomial| monomial.inverse().unwrap_or(Monomial::one());
        Ok(match kind {
            Kind::Real => self.real(tensor, layer),
            Kind::Code => {
                let ratio = self
                    .real(tensor, layer)
                    .scaled(&inverse(self.code_step(tensor, layer)));
                match self.shifted.contains(&(tensor, layer)) {
                    true => ratio.plus(&zero_point(tensor, layer)),
                    false => ratio,
                }
            }
            Kind::Scale => Sum::number(&self.scale(tensor, layer)),
            Kind::Inverse => Sum::number(&inverse(self.scale(tensor, layer))),
            Kind::ZeroPoint => zero_point(tensor, layer),
            Kind::Multiplier => Sum::number(&self.multiplier(layer)),
        })
    }

    /// A real tensor, computed down to W, β and I.
    fn real(&self, tensor: Tensor, layer: u32) -> Sum {
        let atom = |atom| Sum::of(vec![atom], &Monomial::one());
        match tensor {
            Tensor::Input => atom(Atom::Input),
            Tensor::Weight => atom(Atom::Weight(layer)),
            Tensor::Bias => atom(Atom::Bias(layer)),
            Tensor::Output => (1..=layer).fold(atom(Atom::Input), |x, i| {
                let between = self.activations.get(&(i - 1)).into_iter().flatten();
                let x = between.fold(x, |x, function| x.applied(function));
                let product = atom(Atom::Weight(i)).times(&x);
                match self.biased.contains(&i) {
                    true => product.plus(&atom(Atom::Bias(i))),
                    false => product,
                }
            }),
        }
    }

    /// The scale that a symbol names: for a bias, that of its accumulator (eq. 11).
    fn scale(&self, tensor: Tensor, layer: u32) -> Monomial {
        match tensor {
            Tensor::Input => Monomial::scale(Scale::Input),
            Tensor::Weight => Monomial::scale(Scale::Weight(layer)),
            Tensor::Output => Monomial::scale(Scale::Output(layer)),
            Tensor::Bias => self.accumulator_step(layer),
        }
    }

    /// The real value of one code of a tensor.
    fn code_step(&self, tensor: Tensor, layer: u32) -> Monomial {
        match (tensor, self.convention) {
            // Eq. 9.
            (Tensor::Output, Convention::Relative | Convention::Multiply) => self
                .accumulator_step(layer)
                .times(&Monomial::scale(Scale::Output(layer))),
            _ => self.scale(tensor, layer),
        }
    }

    /// The real value of one accumulator step: eq. 8, and `s_Wi · S_O(i−1)` of eq. 13.
    fn accumulator_step(&self, layer: u32) -> Monomial {
        let input = match (self.convention, layer) {
            (_, 0 | 1) => Monomial::scale(Scale::Input),
            _ => self.code_step(Tensor::Output, layer - 1),
        };
        Monomial::scale(Scale::Weight(layer)).times(&input)
    }

    /// M_i: the accumulator's step over the output's (eq. 13).
    fn multiplier(&self, layer: u32) -> Monomial {
        let output = self.code_step(Tensor::Output, layer);
        let inverse = output.inverse().unwrap_or(Monomial::one());
        self.accumulator_step(layer).times(&inverse)
    }
}

/// The product of two, if it is not too large.
fn within(left: &Sum, right: &Sum, span: &Range<usize>) -> Evaluated {
    if left.len().saturating_mul(right.len()) > MOST_TERMS {
        return Err(FormulaError::new(
            "multiplies out to too many terms",
            span.clone(),
        ));
    }
    Ok(left.times(right))
}

fn zero_point(tensor: Tensor, layer: u32) -> Sum {
    Sum::of(vec![Atom::ZeroPoint(tensor, layer)], &Monomial::one())
}

fn integer(value: i64) -> Monomial {
    Monomial::number(BigRational::from(BigInt::from(value)))
}

#[cfg(test)]
mod tests;
