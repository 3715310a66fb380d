//! Sums of products of tensors, each with a multiple of a monomial in the scales.

use std::collections::BTreeMap;

use num_rational::BigRational;
use num_traits::{Signed, Zero};

use crate::symbolic::expression::Tensor;
use crate::symbolic::monomial::{Monomial, Powers};

/// A factor that nothing computes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Atom {
    /// z of a tensor: one number, which commutes with everything.
    ZeroPoint(Tensor, u32),
    /// W_i.
    Weight(u32),
    /// β_i.
    Bias(u32),
    /// I.
    Input,
    /// relu, pool or abs of a sum from which every positive factor was taken out.
    Applied(&'static str, Box<Sum>),
}

impl Atom {
    fn is_number(&self) -> bool {
        matches!(self, Self::ZeroPoint(..))
    }
}

/// A product of atoms: numbers first, sorted, then tensors in the order in which they stand;
/// empty for a number.
pub type Word = Vec<Atom>;

/// A sum: of each word, the multiples of monomials.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sum {
    terms: BTreeMap<Word, BTreeMap<Powers, BigRational>>,
}

impl Sum {
    /// One word times one monomial.
    pub(super) fn of(word: Word, monomial: &Monomial) -> Self {
        let mut sum = Self::default();
        sum.add(word, monomial);
        sum
    }

    /// A number.
    pub(super) fn number(monomial: &Monomial) -> Self {
        Self::of(Word::new(), monomial)
    }

    /// The words.
    pub fn words(&self) -> impl Iterator<Item = &Word> {
        self.terms.keys()
    }

    /// The monomials of a word.
    pub fn monomials(&self, word: &Word) -> Vec<Monomial> {
        let powers = self.terms.get(word).into_iter().flatten();
        powers
            .map(|(powers, coefficient)| Monomial::new(coefficient.clone(), powers.clone()))
            .collect()
    }

    /// Every word with every monomial of it.
    pub fn terms(&self) -> impl Iterator<Item = (&Word, Monomial)> {
        (self.terms.iter()).flat_map(|(word, powers)| {
            (powers.iter()).map(move |(powers, coefficient)| {
                (word, Monomial::new(coefficient.clone(), powers.clone()))
            })
        })
    }

    /// Whether this is 0.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// How many terms there are.
    pub fn len(&self) -> usize {
        self.terms.values().map(BTreeMap::len).sum()
    }

    /// The bits of the longest coefficient.
    pub(super) fn bits(&self) -> u64 {
        let coefficients = self.terms.values().flat_map(BTreeMap::values);
        (coefficients.map(|c| c.numer().bits().max(c.denom().bits())))
            .max()
            .unwrap_or(0)
    }

    pub(super) fn add(&mut self, word: Word, monomial: &Monomial) {
        let powers = self.terms.entry(word.clone()).or_default();
        let total = powers
            .remove(monomial.powers())
            .unwrap_or_else(BigRational::zero)
            + monomial.coefficient();
        if !total.is_zero() {
            powers.insert(monomial.powers().clone(), total);
        }
        if powers.is_empty() {
            self.terms.remove(&word);
        }
    }

    pub(super) fn plus(mut self, other: &Self) -> Self {
        for (word, monomial) in other.terms() {
            self.add(word.clone(), &monomial);
        }
        self
    }

    pub(super) fn scaled(&self, factor: &Monomial) -> Self {
        let mut sum = Self::default();
        for (word, monomial) in self.terms() {
            sum.add(word.clone(), &monomial.times(factor));
        }
        sum
    }

    /// The product of two, tensors of `self` before those of `other`.
    pub(super) fn times(&self, other: &Self) -> Self {
        let mut product = Self::default();
        for (word, monomial) in self.terms() {
            for (other_word, other_monomial) in other.terms() {
                product.add(joined(word, other_word), &monomial.times(&other_monomial));
            }
        }
        product
    }

    /// relu, pool or abs: a positive factor passes through, a sign only through abs.
    pub(super) fn applied(&self, function: &'static str) -> Self {
        let Some((word, first)) = self.terms().next() else {
            return Self::default();
        };
        if word.is_empty() && self.len() == 1 {
            // A number; scales are positive.
            return match (function, first.coefficient().is_negative()) {
                ("relu", true) => Self::default(),
                ("abs", _) => Self::number(&first.abs()),
                _ => self.clone(),
            };
        }
        let positive = first.abs();
        // |x| is that of −x too.
        let factor = if function == "abs" { &first } else { &positive };
        let Some(inverse) = factor.inverse() else {
            return self.clone();
        };
        let inner = Box::new(self.scaled(&inverse));
        Self::of(vec![Atom::Applied(function, inner)], &positive)
    }

    /// The one monomial, if this is a number.
    pub fn scalar(&self) -> Option<Monomial> {
        let (word, monomial) = self.terms().next()?;
        (word.is_empty() && self.len() == 1).then_some(monomial)
    }

    /// Whether there is no tensor in it.
    pub fn is_number(&self) -> bool {
        self.words().all(|word| word.iter().all(Atom::is_number))
    }

    /// `self / other` if it is one monomial, the same for every term.
    pub fn quotient(&self, other: &Self) -> Option<Monomial> {
        if self.is_empty() || !self.words().eq(other.words()) {
            return None;
        }
        let mut factor: Option<Monomial> = None;
        for word in self.words() {
            let (mine, theirs) = (self.monomials(word), other.monomials(word));
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

/// Numbers first, sorted; tensors in their order.
fn joined(left: &Word, right: &Word) -> Word {
    let both = || left.iter().chain(right);
    let mut word: Word = both().filter(|atom| atom.is_number()).cloned().collect();
    word.sort();
    word.extend(both().filter(|atom| !atom.is_number()).cloned());
    word
}
