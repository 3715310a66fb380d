//! Does a formula cancel, in which convention, and if not, what is left over?

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::FormulaError;
use super::expression::{Equation, Expression, Kind, Node, Tensor};
use super::indices::symbols;
use super::monomial::{Monomial, Scale};
use super::normal::{Atom, Reading, Sum, Word};
use super::parse;
use crate::formulas::conventions::Convention;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Both sides are the same.
    Right(Right),
    /// They are not.
    Wrong(Wrong),
}

/// Where two sides are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// The conventions.
    pub conventions: Vec<Convention>,
    /// What was taken for granted, as the equation does not say it.
    pub taken: Vec<String>,
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
pub const VALUES: std::ops::RangeInclusive<i64> = 2..=4;
/// A second free letter is so much more than the first, a third than the second: they are
/// different layers.
const APART: i64 = 7;
/// How many differences are named.
const MOST_REASONS: usize = 6;

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
    let (mut conventions, mut taken) = (Vec::new(), Vec::new());
    let (mut wrong, mut error) = (None, None);
    for &convention in &candidates {
        match check_in(&equation, convention) {
            Ok(Ok(found)) => {
                conventions.push(convention);
                taken = found;
            }
            Ok(Err(found)) => wrong = wrong.or(Some(found)),
            Err(found) => error = error.or(Some(found)),
        }
    }
    let mut wrong: Wrong = match (wrong, error) {
        (Some(wrong), _) if conventions.is_empty() => wrong,
        (None, Some(error)) if conventions.is_empty() => return Err(error),
        _ => return Ok(Verdict::Right(Right { conventions, taken })),
    };
    for other in Convention::ALL {
        // What cannot be read in another convention is not right in it either.
        if let Ok(Ok(_)) = check_in(&equation, other) {
            let hint = other_convention(&equation, other);
            if !wrong.reasons.contains(&hint) {
                wrong.reasons.push(hint);
            }
        }
    }
    Ok(Verdict::Wrong(wrong))
}

/// What was taken for granted where the two sides are the same, else why they are not.
fn check_in(
    equation: &Equation,
    convention: Convention,
) -> Result<Result<Vec<String>, Wrong>, FormulaError> {
    if size(&equation.left) + size(&equation.right) == 0 {
        return Err(FormulaError::new(
            "there is no tensor and no scale in it",
            equation.left.span.start..equation.right.span.end,
        ));
    }
    let mut letters = equation.left.free_letters();
    letters.extend(equation.right.free_letters());
    let mut values: Vec<BTreeMap<char, i64>> = vec![BTreeMap::new()];
    if !letters.is_empty() {
        let apart = |value: i64| {
            letters
                .iter()
                .zip(0..)
                .map(move |(&l, i)| (l, value + i * APART))
        };
        values = VALUES.map(|value| apart(value).collect()).collect();
    }
    let mut taken = Vec::new();
    for bindings in values {
        let reading = Reading::new(equation, convention, &bindings);
        let left = reading.evaluate(&equation.left, &bindings)?;
        let right = reading.evaluate(&equation.right, &bindings)?;
        if left.is_empty() && right.is_empty() {
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
        let (mut leftover, problems) = (None, reading.problems());
        let mut reasons = if left == right {
            problems
        } else {
            leftover = match side {
                Side::Left => left.quotient(&right),
                Side::Right => right.quotient(&left),
            };
            match &leftover {
                Some(leftover) => {
                    let written = scales_of(equation, &bindings);
                    Meanings {
                        convention,
                        written,
                        side,
                    }
                    .of(leftover)
                }
                None => differences(&left, &right),
            }
        };
        if reasons.is_empty() {
            taken = reading.taken();
            continue;
        }
        if reasons.len() > MOST_REASONS {
            let more = reasons.len() - MOST_REASONS;
            reasons.truncate(MOST_REASONS);
            reasons.push(format!("and {more} more"));
        }
        return Ok(Err(Wrong {
            convention,
            letter: bindings.into_iter().next(),
            side,
            leftover,
            reasons,
        }));
    }
    Ok(Ok(taken))
}

fn other_convention(equation: &Equation, convention: Convention) -> String {
    let mut output = String::from("s_O");
    walk(equation, &mut |part| {
        if let Node::Symbol {
            kind: Kind::Scale | Kind::Inverse,
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
    let sides = [&equation.left, &equation.right];
    let written = sides.into_iter().flat_map(|side| symbols(side, bindings));
    written
        .filter(|(kind, ..)| matches!(kind, Kind::Scale | Kind::Inverse))
        .filter_map(|(_, tensor, layer)| match tensor {
            Tensor::Input => Some(Scale::Input),
            Tensor::Weight => Some(Scale::Weight(layer)),
            Tensor::Output => Some(Scale::Output(layer)),
            Tensor::Bias => None,
        })
        .collect()
}

/// What a factor left over on a side means.
struct Meanings {
    convention: Convention,
    written: BTreeSet<Scale>,
    side: Side,
}

impl Meanings {
    /// A sentence for each scale.
    fn of(&self, leftover: &Monomial) -> Vec<String> {
        if let Some(history) = self.missing_history(leftover) {
            return vec![history];
        }
        // A range that is none explains the rest.
        let scales = || leftover.powers().iter();
        if let Some(range) = scales().find_map(|(scale, _)| no_range(scale)) {
            return vec![range];
        }
        let mut meanings: Vec<String> = scales()
            .map(|(scale, &power)| self.of_scale(scale, power))
            .collect();
        let coefficient = leftover.coefficient();
        if !Monomial::number(coefficient.clone()).is_one() {
            meanings.push(format!("the number {coefficient} is left over"));
        }
        meanings
    }

    fn of_scale(&self, scale: &Scale, power: i64) -> String {
        let side = self.side;
        // In the multiply convention n = 1/s is written.
        let (name, power) = match self.convention {
            Convention::Multiply => (scale.to_string().replacen('s', "n", 1), -power),
            Convention::Relative | Convention::Absolute => (scale.to_string(), power),
        };
        let times = match power.abs() {
            1 | 2 => String::new(),
            power => format!(" ({power} times)"),
        };
        let meaning = match (self.written.contains(scale), power.signum(), power.abs()) {
            (false, 1, _) => format!("the {side} side must be divided by {name}: it is missing"),
            (false, ..) => format!("{name} is missing on the {side}"),
            (true, 1, 2) => format!("multiplied by {name} where the equation divides"),
            (true, 1, _) => format!("{name} is once too often a factor of the {side} side"),
            (true, _, 2) => format!("divided by {name} where the equation multiplies"),
            (true, ..) => format!("the {side} side is divided by {name} once too often"),
        };
        meaning + &times
    }

    /// The leftover is exactly Π s_Wj·s_Oj over all layers below some layer, none written.
    fn missing_history(&self, leftover: &Monomial) -> Option<String> {
        let powers = leftover.powers();
        let layers = u32::try_from(powers.len() / 2).ok()?;
        let history: Vec<Scale> = (1..=layers)
            .flat_map(|j| [Scale::Weight(j), Scale::Output(j)])
            .collect();
        let power = *powers.values().next()?;
        let complete = power.abs() == 1
            && powers.len() == history.len()
            && history
                .iter()
                .all(|scale| powers.get(scale) == Some(&power))
            && !history.iter().any(|scale| self.written.contains(scale))
            && Monomial::number(leftover.coefficient().clone()).is_one();
        complete.then(|| {
            let multiply = self.convention == Convention::Multiply;
            let name = |scale: &Scale| match multiply {
                true => scale.to_string().replacen('s', "n", 1),
                false => scale.to_string(),
            };
            let product: Vec<String> = history.iter().map(name).collect();
            let verb = match power.is_positive() != multiply {
                true => "must be divided by",
                false => "must be multiplied by",
            };
            format!(
                "the history is missing: the {} side {verb} {}, the scales of the earlier layers",
                self.side,
                product.join("·")
            )
        })
    }
}

/// Why something was taken for a range that is none.
fn no_range(scale: &Scale) -> Option<String> {
    match scale {
        Scale::BiasRange(_) => Some(
            "the range of a bias makes no scale: a bias is counted in steps of the accumulator (eq. 11)"
                .into(),
        ),
        Scale::Highest(tensor, layer) | Scale::Lowest(tensor, layer) => Some(format!(
            "one end of the range makes no scale: it is max|{0}| for symmetric codes, max({0}) - min({0}) with a zero point",
            tensor.name(*layer)
        )),
        Scale::Input | Scale::Weight(_) | Scale::Output(_) => None,
    }
}

/// Two sides that are not multiples of each other.
fn differences(left: &Sum, right: &Sum) -> Vec<String> {
    match (left.is_number(), right.is_number()) {
        (false, true) => {
            return vec![
                "there is no tensor product on the right: a tensor cannot equal a number".into(),
            ];
        }
        (true, false) => {
            return vec!["there is no tensor on the left: a number cannot equal a tensor".into()];
        }
        _ => {}
    }
    let mut reasons = Vec::new();
    let sorted = |word: &Word| {
        let mut word = word.clone();
        word.sort();
        word
    };
    for word in left.words() {
        let (mine, theirs) = (left.monomials(word), right.monomials(word));
        if mine == theirs {
            continue;
        }
        let other_order = right.words().find(|other| sorted(other) == sorted(word));
        reasons.push(match (mine.as_slice(), theirs.as_slice(), other_order) {
            (_, [], Some(other)) => format!(
                "{} stands on the left and {} on the right: weights stand before what they are applied to, the last layer first",
                name(word),
                name(other)
            ),
            (_, [], None) => format!("{} stands on the left only", name(word)),
            ([mine], [theirs], _) => match mine.inverse() {
                Some(inverse) => format!(
                    "the term {} on the right is {} times that on the left",
                    name(word),
                    theirs.times(&inverse)
                ),
                None => format!("the term {} differs", name(word)),
            },
            _ => format!("{} has other factors on the two sides", name(word)),
        });
    }
    for word in right.words() {
        let both = left.words().any(|other| sorted(other) == sorted(word));
        if !both {
            reasons.push(format!("{} stands on the right only", name(word)));
        }
    }
    let last = |sum: &Sum| {
        sum.words()
            .any(|word| matches!(word.as_slice(), [Atom::Applied("relu" | "pool", _)]))
    };
    if last(left) != last(right) {
        reasons.push("an output and its codes are those before ReLU and pool, which the next layer's formula applies".into());
    }
    reasons
}

/// A product of tensors as it is written.
fn name(word: &Word) -> String {
    if word.is_empty() {
        return "a product of scales".into();
    }
    let names = word.iter().map(|atom| match atom {
        Atom::Weight(i) => format!("W{i}"),
        Atom::Bias(i) => format!("beta{i}"),
        Atom::Input => "I".into(),
        Atom::ZeroPoint(tensor, i) => format!("z{}", tensor.name(*i)),
        Atom::Applied(function, inner) => {
            let terms = inner.terms().map(|(word, monomial)| {
                let negative = monomial.abs() != monomial;
                format!("{}{}", if negative { "-" } else { "" }, name(word))
            });
            format!("{function}({})", terms.collect::<Vec<_>>().join(" + "))
        }
    });
    names.collect::<Vec<_>>().join(" * ")
}
