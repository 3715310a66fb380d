//! Does a formula cancel, in which convention, and if not, what is left over?

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::FormulaError;
use super::expression::{Equation, Expression, Kind, Node, Tensor};
use super::monomial::{Monomial, Scale};
use super::normal::{Atom, Reading, Sum, Word};
use super::parse;
use crate::formulas::conventions::Convention;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Both sides are the same in these conventions.
    Right(Vec<Convention>),
    /// They are not.
    Wrong(Wrong),
}

/// Why two sides are not the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The convention in which the rest is said.
    pub convention: Convention,
    /// The value of a free letter for which it is said.
    pub letter: Option<(char, i64)>,
    /// The side that the rest speaks of, the one that says more.
    pub side: Side,
    /// That side over the other, if the quotient is one monomial.
    pub leftover: Option<Monomial>,
    /// What it means, a sentence each.
    pub reasons: Vec<String>,
}

/// A side of an equation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Before the sign.
    Left,
    /// After it.
    Right,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Left => "left",
            Self::Right => "right",
        })
    }
}

/// How many symbols a side writes.
fn size(side: &Expression) -> usize {
    let mut symbols = 0;
    side.walk(&mut |part| symbols += usize::from(matches!(part.node, Node::Symbol { .. })));
    symbols
}

/// A free letter is given these values; all of them must be right.
const VALUES: std::ops::RangeInclusive<i64> = 2..=4;

/// Checks an equation; `held_to` asks for one convention, else any will do.
///
/// # Errors
/// What is not understood as an equation between scaled tensors.
pub fn check(
    text: &str,
    layers: &[String],
    held_to: Option<Convention>,
) -> Result<Verdict, FormulaError> {
    let equation = parse::equation(text, layers)?;
    let candidates = match held_to {
        Some(convention) => vec![convention],
        None if uses_inverses(&equation) => vec![Convention::Multiply],
        None => vec![Convention::Relative, Convention::Absolute],
    };
    let mut right = Vec::new();
    let mut wrong = None;
    for &convention in &candidates {
        match check_in(&equation, convention)? {
            None => right.push(convention),
            Some(found) => wrong = wrong.or(Some(found)),
        }
    }
    let Some(mut wrong) = wrong.filter(|_| right.is_empty()) else {
        return Ok(Verdict::Right(right));
    };
    for other in Convention::ALL {
        if held_to.is_some() && other != wrong.convention && check_in(&equation, other)?.is_none() {
            wrong.reasons.push(other_convention(&equation, other));
        }
    }
    Ok(Verdict::Wrong(wrong))
}

/// `None` where the two sides are the same.
fn check_in(equation: &Equation, convention: Convention) -> Result<Option<Wrong>, FormulaError> {
    let mut letters = equation.left.free_letters();
    letters.extend(equation.right.free_letters());
    let mut values: Vec<BTreeMap<char, i64>> = vec![BTreeMap::new()];
    if !letters.is_empty() {
        values = VALUES
            .map(|value| letters.iter().map(|&letter| (letter, value)).collect())
            .collect();
    }
    for bindings in values {
        let reading = Reading::new(equation, convention, &bindings)?;
        let left = reading.evaluate(&equation.left, &bindings)?;
        let right = reading.evaluate(&equation.right, &bindings)?;
        if left.terms().is_empty() && right.terms().is_empty() {
            return Err(FormulaError::new(
                "both sides are 0",
                equation.left.span.start..equation.right.span.end,
            ));
        }
        // The side that says more is the one that is explained.
        let side = if size(&equation.left) > size(&equation.right) {
            Side::Left
        } else {
            Side::Right
        };
        let leftover = match side {
            Side::Left => left.quotient(&right),
            Side::Right => right.quotient(&left),
        };
        if leftover.as_ref().is_some_and(Monomial::is_one) || left == right {
            continue;
        }
        let reasons = match &leftover {
            Some(leftover) => meanings(leftover, &scales_of(equation, &bindings), side),
            None => differences(&left, &right),
        };
        return Ok(Some(Wrong {
            convention,
            letter: bindings.into_iter().next(),
            side,
            leftover,
            reasons,
        }));
    }
    Ok(None)
}

fn other_convention(equation: &Equation, convention: Convention) -> String {
    let mut output = String::from("s_O");
    walk(equation, &mut |part| {
        if let Node::Symbol {
            kind: Kind::Scale,
            tensor: Tensor::Output,
            index: Some(index),
        } = &part.node
            && index.variable.is_none()
        {
            output = format!("s_O{}", index.offset);
        }
    });
    match convention {
        Convention::Absolute => {
            format!("this is the absolute convention: right if {output} is an activation scale")
        }
        Convention::Relative | Convention::Multiply => {
            format!("this is the relative convention: right if {output} scales an accumulator")
        }
    }
}

fn walk<'a>(equation: &'a Equation, visit: &mut impl FnMut(&'a Expression)) {
    equation.left.walk(visit);
    equation.right.walk(visit);
}

fn uses_inverses(equation: &Equation) -> bool {
    let mut found = false;
    walk(equation, &mut |part| {
        found |= matches!(
            part.node,
            Node::Symbol {
                kind: Kind::Inverse,
                ..
            }
        );
    });
    found
}

/// The scales that an equation itself writes.
fn scales_of(equation: &Equation, bindings: &BTreeMap<char, i64>) -> BTreeSet<Scale> {
    let mut scales = BTreeSet::new();
    walk(equation, &mut |part| {
        let Node::Symbol {
            kind: Kind::Scale | Kind::Inverse,
            tensor,
            index,
        } = &part.node
        else {
            return;
        };
        let layers: Vec<u32> = match index {
            None => vec![0],
            Some(index) => match index.variable.map(|letter| bindings.get(&letter)) {
                None => vec![index.offset as u32],
                Some(Some(value)) => vec![(value + index.offset) as u32],
                // Bound by a product: any layer.
                Some(None) => (1..=*VALUES.end() as u32).collect(),
            },
        };
        scales.extend(layers.into_iter().filter_map(|layer| match tensor {
            Tensor::Input => Some(Scale::Input),
            Tensor::Weight => Some(Scale::Weight(layer)),
            Tensor::Output => Some(Scale::Output(layer)),
            Tensor::Bias => None,
        }));
    });
    scales
}

/// What a factor left over on a side means, scale by scale.
fn meanings(leftover: &Monomial, written: &BTreeSet<Scale>, side: Side) -> Vec<String> {
    let mut meanings = Vec::new();
    if let Some(history) = missing_history(leftover, written, side) {
        return vec![history];
    }
    for (scale, &power) in leftover.powers() {
        if let Scale::BiasRange(_) = scale {
            meanings.push(
                "the range of a bias makes no scale: a bias is counted in steps of the accumulator (eq. 11)"
                    .into(),
            );
            continue;
        }
        let times = match power.abs() {
            1 | 2 => String::new(),
            power => format!(" ({power} times)"),
        };
        let meaning = match (written.contains(scale), power.signum(), power.abs()) {
            (false, 1, _) => format!("the {side} side must be divided by {scale}: it is missing"),
            (false, ..) => format!("{scale} is missing on the {side}"),
            (true, 1, 2) => format!("multiplied by {scale} where the equation divides"),
            (true, 1, _) => format!("{scale} is once too often a factor of the {side} side"),
            (true, _, 2) => format!("divided by {scale} where the equation multiplies"),
            (true, ..) => format!("the {side} side is divided by {scale} once too often"),
        };
        meanings.push(meaning + &times);
    }
    let coefficient = leftover.coefficient();
    if !Monomial::number(coefficient.clone()).is_one() {
        meanings.push(format!("the number {coefficient} is left over"));
    }
    meanings
}

/// The leftover is exactly Π s_Wj·s_Oj over all layers below some layer, none written.
fn missing_history(leftover: &Monomial, written: &BTreeSet<Scale>, side: Side) -> Option<String> {
    let powers = leftover.powers();
    let layers = u32::try_from(powers.len() / 2)
        .ok()
        .filter(|&layers| layers > 0)?;
    let history: Vec<Scale> = (1..=layers)
        .flat_map(|j| [Scale::Weight(j), Scale::Output(j)])
        .collect();
    let power = *powers.values().next()?;
    let complete = power.abs() == 1
        && powers.len() == history.len()
        && history
            .iter()
            .all(|scale| powers.get(scale) == Some(&power))
        && !history.iter().any(|scale| written.contains(scale))
        && Monomial::number(leftover.coefficient().clone()).is_one();
    complete.then(|| {
        let product: Vec<String> = history.iter().map(Scale::to_string).collect();
        let verb = if power > 0 {
            "must be divided by"
        } else {
            "must be multiplied by"
        };
        format!(
            "the history is missing: the {side} side {verb} {}, the scales of the earlier layers",
            product.join("·")
        )
    })
}

/// Two sides that are not multiples of each other.
fn differences(left: &Sum, right: &Sum) -> Vec<String> {
    let tensors = |sum: &Sum| sum.terms().keys().any(|word| !word.is_empty());
    match (tensors(left), tensors(right)) {
        (true, false) => {
            return vec![
                "there is no tensor product on the right: a tensor cannot equal a number".into(),
            ];
        }
        (false, true) => {
            return vec!["there is no tensor on the left: a number cannot equal a tensor".into()];
        }
        _ => {}
    }
    let mut reasons = Vec::new();
    for (word, monomials) in left.terms() {
        match right.terms().get(word) {
            None => reasons.push(format!("{} stands on the left only", name(word))),
            Some(others) if others != monomials => {
                let quotient = match (monomials.as_slice(), others.as_slice()) {
                    ([mine], [theirs]) => mine.inverse().map(|inverse| theirs.times(&inverse)),
                    _ => None,
                };
                let factor = quotient.map_or("several factors".into(), |q| q.to_string());
                reasons.push(format!("the term {} is off by {factor}", name(word)));
            }
            Some(_) => {}
        }
    }
    for word in right
        .terms()
        .keys()
        .filter(|word| !left.terms().contains_key(*word))
    {
        reasons.push(format!("{} stands on the right only", name(word)));
    }
    reasons
}

/// A product of tensors, the last layer first, as the layers apply.
fn name(word: &Word) -> String {
    if word.is_empty() {
        return "a number".into();
    }
    let mut atoms = word.clone();
    atoms.sort_by_key(|atom| match atom {
        Atom::Weight(i) => (0, u32::MAX - i),
        Atom::Bias(i) => (1, *i),
        Atom::Input => (2, 0),
        Atom::ZeroPoint(_, i) => (3, *i),
    });
    let names = atoms.iter().map(|atom| match atom {
        Atom::Weight(i) => format!("W{i}"),
        Atom::Bias(i) => format!("beta{i}"),
        Atom::Input => "I".into(),
        Atom::ZeroPoint(Tensor::Input, _) => "zI".into(),
        Atom::ZeroPoint(Tensor::Weight, i) => format!("zW{i}"),
        Atom::ZeroPoint(Tensor::Output, i) => format!("zO{i}"),
        Atom::ZeroPoint(Tensor::Bias, i) => format!("zbeta{i}"),
    });
    names.collect::<Vec<_>>().join(" * ")
}
