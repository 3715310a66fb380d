//! The normal form: a sum of products of real tensors, each with monomials in the scales.
//!
//! Codes are replaced by their unrounded ratios, outputs by what they are computed from.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;

use super::FormulaError;
use super::expression::{Equation, Expression, Index, Kind, Node, Tensor};
use super::monomial::{Monomial, Scale};
use crate::formulas::QMAX;
use crate::formulas::conventions::Convention;

/// A tensor that nothing computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Atom {
    /// W_i.
    Weight(u32),
    /// β_i.
    Bias(u32),
    /// I.
    Input,
    /// z of a tensor.
    ZeroPoint(Tensor, u32),
}

/// A product of atoms, in a fixed order; empty for a number.
pub type Word = Vec<Atom>;

/// A sum: the monomials of each word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    terms: BTreeMap<Word, Vec<Monomial>>,
}

/// The deepest network and the largest sum that are expanded.
const MOST_LAYERS: u32 = 64;
const MOST_TERMS: usize = 512;
/// How many parts of a formula are evaluated, products over layers multiplied out.
const MOST_STEPS: u32 = 20_000;

impl Sum {
    /// The monomials of each word.
    pub fn terms(&self) -> &BTreeMap<Word, Vec<Monomial>> {
        &self.terms
    }

    fn of(word: Word, monomial: Monomial) -> Self {
        let mut sum = Self::default();
        sum.add(word, monomial);
        sum
    }

    fn add(&mut self, word: Word, monomial: Monomial) {
        let monomials = self.terms.entry(word.clone()).or_default();
        match monomials
            .iter_mut()
            .find_map(|m| Some((m.plus(&monomial)?, m)))
        {
            Some((total, place)) => *place = total,
            None => monomials.push(monomial),
        }
        monomials.retain(|m| !m.coefficient().is_zero());
        if monomials.is_empty() {
            self.terms.remove(&word);
        }
    }

    fn plus(mut self, other: &Self) -> Self {
        for (word, monomials) in &other.terms {
            for monomial in monomials {
                self.add(word.clone(), monomial.clone());
            }
        }
        self
    }

    fn scaled(&self, factor: &Monomial) -> Self {
        let mut sum = Self::default();
        for (word, monomials) in &self.terms {
            for monomial in monomials {
                sum.add(word.clone(), monomial.times(factor));
            }
        }
        sum
    }

    /// Every word with one more atom.
    fn applied(&self, atom: Atom) -> Self {
        let mut product = Self::default();
        for (word, monomials) in &self.terms {
            let mut longer = [word.as_slice(), &[atom]].concat();
            longer.sort();
            monomials
                .iter()
                .for_each(|monomial| product.add(longer.clone(), monomial.clone()));
        }
        product
    }

    fn times(&self, other: &Self, span: &Range<usize>) -> Evaluated {
        if self.len().saturating_mul(other.len()) > MOST_TERMS {
            return Err(FormulaError::new(
                "multiplies out to too many terms",
                span.clone(),
            ));
        }
        let mut product = Self::default();
        for (word, monomials) in &self.terms {
            for (other_word, others) in &other.terms {
                let mut both = [word.as_slice(), other_word].concat();
                both.sort();
                for (a, b) in monomials
                    .iter()
                    .flat_map(|a| others.iter().map(move |b| (a, b)))
                {
                    product.add(both.clone(), a.times(b));
                }
            }
        }
        Ok(product)
    }

    fn len(&self) -> usize {
        self.terms.values().map(Vec::len).sum()
    }

    /// The one monomial, if this is a number.
    pub fn scalar(&self) -> Option<&Monomial> {
        match self.terms.iter().next() {
            Some((word, monomials)) if word.is_empty() && self.len() == 1 => monomials.first(),
            _ => None,
        }
    }

    /// `self / other` if it is one monomial, the same for every term.
    pub fn quotient(&self, other: &Self) -> Option<Monomial> {
        if !self.terms.keys().eq(other.terms.keys()) || self.terms.is_empty() {
            return None;
        }
        let mut factor: Option<Monomial> = None;
        for (mine, theirs) in self.terms.values().zip(other.terms.values()) {
            let ([mine], [theirs]) = (mine.as_slice(), theirs.as_slice()) else {
                return None;
            };
            let quotient = mine.times(&theirs.inverse()?);
            if factor.as_ref().is_some_and(|factor| *factor != quotient) {
                return None;
            }
            factor = Some(quotient);
        }
        factor
    }
}

/// What an equation is read under.
pub struct Reading {
    convention: Convention,
    /// Layers whose bias the equation mentions: the others have none.
    biased: BTreeSet<u32>,
    /// Tensors whose zero point it mentions: the others' are 0.
    shifted: BTreeSet<(Tensor, u32)>,
    steps: Cell<u32>,
}

type Bindings = BTreeMap<char, i64>;
type Evaluated = Result<Sum, FormulaError>;

impl Reading {
    /// The reading of an equation in a convention, with its free letters bound.
    ///
    /// # Errors
    /// An index that is no layer.
    pub fn new(
        equation: &Equation,
        convention: Convention,
        bindings: &Bindings,
    ) -> Result<Self, FormulaError> {
        let mut reading = Self {
            convention,
            biased: BTreeSet::new(),
            shifted: BTreeSet::new(),
            steps: Cell::new(0),
        };
        let mut symbols = Vec::new();
        for side in [&equation.left, &equation.right] {
            side.walk(&mut |part| symbols.push(part));
        }
        for part in symbols {
            if let Node::Symbol {
                kind,
                tensor,
                index,
            } = &part.node
            {
                // A letter that a product binds has no one value here.
                let Ok(layer) = layer_of(index.as_ref(), bindings, &part.span) else {
                    continue;
                };
                if *tensor == Tensor::Bias {
                    reading.biased.insert(layer);
                }
                if *kind == Kind::ZeroPoint {
                    reading.shifted.insert((*tensor, layer));
                }
            }
        }
        Ok(reading)
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
            Node::Number(number) => Sum::of(Word::new(), Monomial::number(number.clone())),
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
                    sum = sum.plus(&if *negative {
                        term.scaled(&integer(-1))
                    } else {
                        term
                    });
                }
                sum
            }
            Node::Product(factors) => self.product(factors, bindings)?,
            Node::Transparent(_, inner) => self.evaluate(inner, bindings)?,
            Node::Absolute(inner) => self.absolute(inner, bindings)?,
            Node::Extreme(name, arguments) => self.extreme(name, arguments, bindings, span)?,
            Node::Repeated {
                variable,
                from,
                to,
                body,
            } => {
                let [from, to] = [from, to].map(|index| bound(index, bindings, span));
                let (from, to) = (from?, to?);
                if to - from > i64::from(MOST_LAYERS) {
                    return Err(FormulaError::new(
                        "a product over too many layers",
                        span.clone(),
                    ));
                }
                let mut product = Sum::of(Word::new(), Monomial::one());
                let mut inner = bindings.clone();
                for value in from..=to {
                    inner.insert(*variable, value);
                    product = product.times(&self.evaluate(body, &inner)?, span)?;
                }
                product
            }
        };
        if sum.len() > MOST_TERMS {
            return Err(FormulaError::new(
                "multiplies out to too many terms",
                span.clone(),
            ));
        }
        Ok(sum)
    }

    fn product(&self, factors: &[(bool, Expression)], bindings: &Bindings) -> Evaluated {
        let mut product = Sum::of(Word::new(), Monomial::one());
        for (divides, factor) in factors {
            let value = self.evaluate(factor, bindings)?;
            if !divides {
                product = product.times(&value, &factor.span)?;
                continue;
            }
            let inverse = value.scalar().and_then(Monomial::inverse).ok_or_else(|| {
                FormulaError::new(
                    "only scales and numbers can divide, not tensors, sums or 0",
                    factor.span.clone(),
                )
            })?;
            product = product.scaled(&inverse);
        }
        Ok(product)
    }

    fn symbol(&self, kind: Kind, tensor: Tensor, layer: u32, span: &Range<usize>) -> Evaluated {
        if layer > MOST_LAYERS {
            let message = format!("layer {layer}: at most {MOST_LAYERS} are expanded");
            return Err(FormulaError::new(message, span.clone()));
        }
        let scale = |monomial| Sum::of(Word::new(), monomial);
        Ok(match kind {
            Kind::Real => self.real(tensor, layer),
            Kind::Code => {
                let inverse = self
                    .code_step(tensor, layer)
                    .inverse()
                    .unwrap_or(Monomial::one());
                let ratio = self.real(tensor, layer).scaled(&inverse);
                match self.shifted.contains(&(tensor, layer)) {
                    true => ratio.plus(&zero_point(tensor, layer)),
                    false => ratio,
                }
            }
            Kind::Scale => scale(self.scale(tensor, layer)),
            Kind::Inverse => scale(
                self.scale(tensor, layer)
                    .inverse()
                    .unwrap_or(Monomial::one()),
            ),
            Kind::ZeroPoint => zero_point(tensor, layer),
            Kind::Multiplier => scale(self.multiplier(layer)),
        })
    }

    /// A real tensor, computed down to W, β and I.
    fn real(&self, tensor: Tensor, layer: u32) -> Sum {
        let atom = |atom| Sum::of(vec![atom], Monomial::one());
        match tensor {
            Tensor::Input => atom(Atom::Input),
            Tensor::Weight => atom(Atom::Weight(layer)),
            Tensor::Bias => atom(Atom::Bias(layer)),
            Tensor::Output => (1..=layer).fold(atom(Atom::Input), |x, i| {
                let product = x.applied(Atom::Weight(i));
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

    fn absolute(&self, inner: &Expression, bindings: &Bindings) -> Evaluated {
        let value = self.evaluate(inner, bindings)?;
        match value.scalar() {
            Some(scalar) => Ok(Sum::of(Word::new(), scalar.abs())),
            // |tensor| has the range of the tensor, which is all that max asks.
            None => Ok(value),
        }
    }

    /// max or min: of one tensor, its range by eq. 3 and 10; of numbers, the one they are.
    fn extreme(
        &self,
        name: &str,
        arguments: &[Expression],
        bindings: &Bindings,
        span: &Range<usize>,
    ) -> Evaluated {
        let mut result: Option<Monomial> = None;
        for argument in arguments {
            let value = self.evaluate(argument, bindings)?;
            let number = match value.scalar() {
                Some(scalar) => scalar.clone(),
                None => self.range(&value).ok_or_else(|| {
                    FormulaError::new(
                        format!("the {name} of this is not known: it is no multiple of I, a weight or an output"),
                        argument.span.clone(),
                    )
                })?,
            };
            if result.as_ref().is_some_and(|result| *result != number) {
                return Err(FormulaError::new(
                    format!("the {name} of different things"),
                    span.clone(),
                ));
            }
            result = Some(number);
        }
        Ok(Sum::of(Word::new(), result.unwrap_or(Monomial::one())))
    }

    /// max|x| for a multiple of a tensor whose scale was made from its range: 127 steps.
    fn range(&self, value: &Sum) -> Option<Monomial> {
        if let Some((&[Atom::Bias(layer)], [factor])) =
            (value.terms.iter().next()).map(|(word, factors)| (word.as_slice(), factors.as_slice()))
            && value.len() == 1
        {
            return Some(
                factor
                    .abs()
                    .times(&Monomial::scale(Scale::BiasRange(layer))),
            );
        }
        let deepest = value.terms.keys().flatten().filter_map(|atom| match atom {
            Atom::Weight(i) => Some(*i),
            _ => None,
        });
        let layer = deepest.max().unwrap_or(0);
        let candidates = match layer {
            0 => vec![Tensor::Input],
            _ => vec![Tensor::Output, Tensor::Weight],
        };
        candidates.into_iter().find_map(|tensor| {
            let factor = value.quotient(&self.real(tensor, layer))?;
            let range = self.code_step(tensor, layer).times(&integer(QMAX as i64));
            Some(factor.abs().times(&range))
        })
    }
}

fn zero_point(tensor: Tensor, layer: u32) -> Sum {
    Sum::of(vec![Atom::ZeroPoint(tensor, layer)], Monomial::one())
}

fn integer(value: i64) -> Monomial {
    Monomial::number(BigRational::from(BigInt::from(value)))
}

/// The value of an index.
pub(super) fn bound(
    index: &Index,
    bindings: &Bindings,
    span: &Range<usize>,
) -> Result<i64, FormulaError> {
    let base = match index.variable {
        None => 0,
        Some(letter) => *bindings.get(&letter).ok_or_else(|| {
            FormulaError::new(format!("{letter} has no value here"), span.clone())
        })?,
    };
    Ok(base + index.offset)
}

/// The layer of a symbol; 0 for the input.
pub(super) fn layer_of(
    index: Option<&Index>,
    bindings: &Bindings,
    span: &Range<usize>,
) -> Result<u32, FormulaError> {
    let Some(index) = index else { return Ok(0) };
    let value = bound(index, bindings, span)?;
    (u32::try_from(value).ok().filter(|&layer| layer >= 1)).ok_or_else(|| {
        FormulaError::new(format!("layer {value}: layers count from 1"), span.clone())
    })
}
