//! Reads what a person would write, in ASCII or simple LaTeX.
//!
//! ```text
//! equation = sum "=" sum
//! sum      = ["-"] product {("+" | "-") product}
//! product  = factor {["*" | "/" | "·" | "×" | \times | \cdot] factor}
//! factor   = number | symbol | "(" sum ")" | "|" sum "|" | \frac{sum}{sum}
//!          | (round | clamp | relu | pool | max | min) "(" sum {"," sum} ")" | max "|" sum "|"
//!          | \prod_{j=1}^{i} product
//! symbol   = [s | S | n | z] (I | In | W | O | Out | beta | M) [layer] [q], with _ and {} anywhere
//! ```
//! Two factors side by side are multiplied. A `\prod` takes the factors that follow as
//! long as they mention its letter. `max(0, x)` is `relu(x)`; clamp may name its limits.

use std::ops::Range;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Pow, Zero};

use super::FormulaError;
use super::expression::{Equation, Expression, Index, Kind, Node, Tensor};

/// The longest formula that is read.
pub const LONGEST: usize = 10_000;
/// The longest name with its subscripts.
const LONGEST_NAME: usize = 60;
/// The deepest nesting.
const DEEPEST: usize = 64;
/// Letters that may stand for a layer.
const LETTERS: &str = "ijkn";

type Parsed<T> = Result<T, FormulaError>;

/// Reads an equation; `layers` are the names that may stand as subscripts, first layer
/// first.
///
/// # Errors
/// The first place that is not understood.
pub fn equation(text: &str, layers: &[String]) -> Parsed<Equation> {
    if text.len() > LONGEST {
        let message = format!("{} characters; a formula has at most {LONGEST}", text.len());
        return Err(FormulaError::new(message, 0..1));
    }
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
        beyond: Vec::new(),
        layers,
    };
    let left = parser.sum()?;
    parser.take("&");
    if !parser.take("=") {
        return Err(parser.here("expected = between two sides"));
    }
    parser.take("&");
    let right = parser.sum()?;
    if parser.peek().is_some() {
        return Err(parser.here("expected the end of the formula"));
    }
    Ok(Equation { left, right })
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// Factors after those of a `\prod`: read already, and the next of the product around
    /// it, the last first.
    beyond: Vec<(bool, Expression)>,
    layers: &'a [String],
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// Skips white space and what LaTeX adds for the eye.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let space = rest.len() - rest.trim_start().len();
            let noise = [
                "\\left", "\\right", "\\,", "\\;", "\\!", "$", "\\big", "\\Big", "\\bigl",
                "\\bigr", "\\Bigl", "\\Bigr",
            ];
            let skipped = space.max(
                noise
                    .iter()
                    .filter(|n| rest.starts_with(**n))
                    .map(|n| n.len())
                    .max()
                    .unwrap_or(0),
            );
            if skipped == 0 {
                return;
            }
            self.at += skipped;
        }
    }

    fn peek(&mut self) -> Option<char> {
        self.skip();
        self.rest().chars().next()
    }

    fn take(&mut self, token: &str) -> bool {
        self.skip();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// Takes a word, with or without a backslash, that no letter follows.
    fn word(&mut self, word: &str) -> bool {
        self.skip();
        let rest = self.rest();
        let bare = rest.strip_prefix('\\').unwrap_or(rest);
        let ends = |tail: &str| !tail.starts_with(|c: char| c.is_ascii_alphanumeric());
        match bare.strip_prefix(word) {
            Some(tail) if ends(tail) => {
                self.at += rest.len() - tail.len();
                true
            }
            _ => false,
        }
    }

    fn expect(&mut self, token: &str) -> Parsed<()> {
        if self.take(token) {
            return Ok(());
        }
        Err(self.here(&format!("expected {token}")))
    }

    fn here(&mut self, message: &str) -> FormulaError {
        self.skip();
        let length = self.rest().chars().next().map_or(0, char::len_utf8);
        FormulaError::new(message, self.at..self.at + length)
    }

    /// Runs a part one level deeper.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == DEEPEST {
            return Err(self.here(&format!("nested more than {DEEPEST} deep")));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn sum(&mut self) -> Parsed<Expression> {
        self.skip();
        let start = self.at;
        let negative = self.take("-") || self.take("−");
        let mut terms = vec![(negative, self.product()?)];
        loop {
            let negative = self.take("-") || self.take("−");
            if !negative && !self.take("+") {
                break;
            }
            terms.push((negative, self.product()?));
        }
        let span = start..self.at;
        Ok(match (terms.len(), negative) {
            (1, false) => terms.remove(0).1,
            _ => Expression {
                node: Node::Sum(terms),
                span,
            },
        })
    }

    fn product(&mut self) -> Parsed<Expression> {
        self.skip();
        let start = self.at;
        let mut factors = vec![(false, self.factor()?)];
        while let Some(factor) = self.next_factor()? {
            factors.push(factor);
        }
        let span = start..self.at;
        Ok(if factors.len() == 1 {
            factors.remove(0).1
        } else {
            Expression {
                node: Node::Product(factors),
                span,
            }
        })
    }

    /// The next factor of a product, and whether it divides; `None` at its end.
    fn next_factor(&mut self) -> Parsed<Option<(bool, Expression)>> {
        if let Some(factor) = self.beyond.pop() {
            return Ok(Some(factor));
        }
        match self.operator() {
            Some(divides) => Ok(Some((divides, self.factor()?))),
            None => Ok(None),
        }
    }

    /// Whether the next factor multiplies or divides; `None` at the end of a product.
    fn operator(&mut self) -> Option<bool> {
        for times in ["*", "·", "×"] {
            if self.take(times) {
                return Some(false);
            }
        }
        if self.word("times") || self.word("cdot") || self.word("ast") {
            return Some(false);
        }
        if self.take("/") {
            return Some(true);
        }
        let begins = |c: char| c.is_ascii_alphanumeric() || c == '(' || c == '\\' || c == 'β';
        self.peek().filter(|&c| begins(c)).map(|_| false)
    }

    fn factor(&mut self) -> Parsed<Expression> {
        self.nested(Self::factor_inside)
    }

    fn factor_inside(&mut self) -> Parsed<Expression> {
        self.skip();
        let start = self.at;
        let node = if self.take("(") {
            let inner = self.sum()?;
            self.expect(")")?;
            return Ok(inner);
        } else if self.take("{") {
            let inner = self.sum()?;
            self.expect("}")?;
            return Ok(inner);
        } else if self.take("|") {
            let inner = self.sum()?;
            self.expect("|")?;
            Node::Absolute(Box::new(inner))
        } else if self.word("frac") {
            let above = self.braced()?;
            let below = self.braced()?;
            Node::Product(vec![(false, above), (true, below)])
        } else if self.word("prod") {
            self.repeated(start)?
        } else if let Some(name) = self.function() {
            self.call(name)?
        } else if self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.number()?
        } else {
            self.symbol()?
        };
        let end = match &node {
            Node::Repeated { body, .. } => body.span.end,
            _ => self.at,
        };
        Ok(Expression {
            node,
            span: start..end,
        })
    }

    fn braced(&mut self) -> Parsed<Expression> {
        self.expect("{")?;
        let inner = self.sum()?;
        self.expect("}")?;
        Ok(inner)
    }

    fn function(&mut self) -> Option<&'static str> {
        for wrapper in ["\\operatorname{", "\\mathrm{", "\\text{"] {
            for name in ["round", "clamp", "relu", "pool", "max", "min"] {
                if self.take(&format!("{wrapper}{name}}}")) {
                    return Some(name);
                }
            }
        }
        ["round", "clamp", "relu", "pool", "max", "min"]
            .into_iter()
            .find(|name| self.word(name))
    }

    fn call(&mut self, name: &'static str) -> Parsed<Node> {
        let arguments = if self.peek() == Some('|') {
            vec![self.factor()?]
        } else {
            self.expect("(")?;
            let mut arguments = vec![self.sum()?];
            while self.take(",") {
                arguments.push(self.sum()?);
            }
            self.expect(")")?;
            arguments
        };
        if let ("max", [a, b]) = (name, arguments.as_slice()) {
            let zero = |x: &Expression| number(x).is_some_and(|x| x.is_zero());
            if let Some((_, x)) = [(a, b), (b, a)].into_iter().find(|(z, _)| zero(z)) {
                return Ok(Node::Function("relu", Box::new(x.clone())));
            }
        }
        if matches!(name, "max" | "min") {
            return Ok(Node::Extreme(name, arguments));
        }
        let mut arguments = arguments.into_iter();
        let first = arguments.next();
        let limits: Vec<Expression> = arguments.collect();
        match first {
            Some(first) if limits.is_empty() || (name == "clamp" && are_limits(&limits)) => {
                Ok(Node::Function(name, Box::new(first)))
            }
            _ if name == "clamp" => Err(self.here(
                "clamp's limits are those of int8 codes: 127, or −128, 127 (−127, 127), or with a zero point 0, 255",
            )),
            _ => Err(self.here(&format!("{name} takes one argument"))),
        }
    }

    /// After `\prod`: `_{j=1}^{i}` and the factors that mention j.
    fn repeated(&mut self, start: usize) -> Parsed<Node> {
        if !self.take("_") {
            return Err(FormulaError::new(
                "a product needs its range, \\prod_{j=1}^{i}: over which layers?",
                start..self.at,
            ));
        }
        self.expect("{")?;
        let variable = match self.peek() {
            Some(letter) if LETTERS.contains(letter) => letter,
            _ => return Err(self.here("expected one of the letters i, j, k, n")),
        };
        self.at += 1;
        self.expect("=")?;
        let from = self.index()?;
        self.expect("}")?;
        self.expect("^")?;
        let braced = self.take("{");
        let to = self.index()?;
        if braced {
            self.expect("}")?;
        }
        let body_start = self.at;
        let mut factors = vec![(false, self.factor()?)];
        let mut end = self.end_of(&factors[0].1);
        while let Some((divides, factor)) = self.next_factor()? {
            if !factor.free_letters().contains(&variable) {
                self.beyond.push((divides, factor));
                break;
            }
            end = self.end_of(&factor);
            factors.push((divides, factor));
        }
        let body = Expression {
            node: Node::Product(factors),
            span: body_start..end,
        };
        Ok(Node::Repeated {
            variable,
            from,
            to,
            body: Box::new(body),
        })
    }

    /// Where the factor just read ends; what was read beyond it does not count.
    fn end_of(&self, factor: &Expression) -> usize {
        match self.beyond.is_empty() {
            true => self.at,
            false => factor.span.end,
        }
    }

    fn index(&mut self) -> Parsed<Index> {
        self.skip();
        let start = self.at;
        let length = (self
            .rest()
            .find(|c: char| !c.is_ascii_alphanumeric() && !"+- ".contains(c)))
        .unwrap_or(self.rest().len());
        self.at += length;
        let text = self.text[start..self.at].replace(' ', "");
        index_of(&text, self.layers)
            .ok_or_else(|| FormulaError::new("expected a layer: 1, i, n-1", start..self.at))
    }

    fn number(&mut self) -> Parsed<Node> {
        let start = self.at;
        let rest = self.rest();
        let length = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        self.at += length;
        let text = &self.text[start..self.at];
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits: Option<BigInt> = format!("{whole}{fraction}").parse().ok();
        match digits {
            Some(digits) if text.len() <= 40 => {
                let scale = BigInt::from(10).pow(fraction.len() as u32);
                Ok(Node::Number(BigRational::new(digits, scale)))
            }
            _ => Err(FormulaError::new(
                "not a number of at most 40 digits",
                start..self.at,
            )),
        }
    }

    /// A name with its subscripts, flattened: `s_{Out_{conv1}}` is `sOutconv1`.
    fn symbol(&mut self) -> Parsed<Node> {
        self.skip();
        let start = self.at;
        let mut flat = String::new();
        let mut open = 0usize;
        let mut subscript = false;
        for c in self.text[start..].chars() {
            let continues = match c {
                c if c.is_ascii_alphanumeric() => true,
                'β' | '\\' | '_' => true,
                '^' => ["^q", "^{q}"]
                    .iter()
                    .any(|code| self.text[self.at..].starts_with(code)),
                '{' => subscript || open > 0,
                '}' => open > 0,
                '+' | '-' | ' ' | ',' => open > 0,
                _ => false,
            };
            if !continues || (c == '\\' && !self.text[self.at..].starts_with("\\beta")) {
                break;
            }
            match c {
                '{' => open += 1,
                '}' => open -= 1,
                'β' => flat.push_str("beta"),
                '\\' | '_' | '^' | ' ' | ',' => {}
                c => flat.push(c),
            }
            subscript = c == '_' || c == '^';
            self.at += c.len_utf8();
        }
        let span = start..self.at;
        if span.is_empty() {
            return Err(match self.peek() {
                None => self.here("the formula ends where something was expected"),
                Some(_) => self.here("expected a tensor, a scale, a number or ("),
            });
        }
        if open > 0 {
            return Err(FormulaError::new("a { is not closed", span));
        }
        interpret(&flat, self.layers, span)
    }
}

/// The value of a number that was written with or without a sign.
fn number(expression: &Expression) -> Option<BigRational> {
    match &expression.node {
        Node::Number(number) => Some(number.clone()),
        Node::Sum(terms) => match terms.as_slice() {
            [(negative, term)] => {
                let number = number(term)?;
                Some(if *negative { -number } else { number })
            }
            _ => None,
        },
        _ => None,
    }
}

/// The ends of 8-bit codes; one number is a symmetric range.
fn are_limits(limits: &[Expression]) -> bool {
    let numbers: Option<Vec<BigRational>> = limits.iter().map(number).collect();
    let integers = |values: &[i64]| -> Vec<BigRational> {
        values
            .iter()
            .map(|&value| BigRational::from(BigInt::from(value)))
            .collect()
    };
    let known = [vec![127], vec![-128, 127], vec![-127, 127], vec![0, 255]];
    numbers.is_some_and(|numbers| known.iter().any(|ends| integers(ends) == numbers))
}

/// What a flat name means.
fn interpret(flat: &str, layers: &[String], span: Range<usize>) -> Parsed<Node> {
    if flat.len() > LONGEST_NAME {
        return Err(FormulaError::new("no name is as long as this", span));
    }
    let fail = |message: String| Err(FormulaError::new(message, span.clone()));
    let heads = [
        ("beta", Tensor::Bias),
        ("Out", Tensor::Output),
        ("In", Tensor::Input),
        ("W", Tensor::Weight),
        ("O", Tensor::Output),
        ("I", Tensor::Input),
        ("M", Tensor::Output),
    ];
    let head = |text: &str| heads.into_iter().find(|(name, _)| text.starts_with(name));
    let (kind, name) = match flat.chars().next() {
        Some('s' | 'S') => (Kind::Scale, &flat[1..]),
        Some('n') => (Kind::Inverse, &flat[1..]),
        Some('z') => (Kind::ZeroPoint, &flat[1..]),
        Some('M') => (Kind::Multiplier, flat),
        _ => (Kind::Real, flat),
    };
    let Some((head, tensor)) = head(name) else {
        return fail(format!(
            "{flat} is no tensor or scale; there are I, W1, O1, beta1, their codes (W1q), scales (sW1, nW1) and zero points (zW1)"
        ));
    };
    let rest = &name[head.len()..];
    let (kind, layer) = match kind {
        // A q before or after the layer marks codes, unless it belongs to a layer's name.
        Kind::Real if !layers.iter().any(|layer| layer == rest) => {
            match rest.strip_suffix('q').or_else(|| rest.strip_prefix('q')) {
                Some(layer) => (Kind::Code, layer),
                None => (kind, rest),
            }
        }
        _ => (kind, rest),
    };
    if tensor == Tensor::Input {
        return match layer {
            "" => Ok(Node::Symbol {
                kind,
                tensor,
                index: None,
            }),
            _ => fail(format!(
                "{flat}: the network has one input, I; deeper inputs are outputs of layers"
            )),
        };
    }
    if layer.is_empty() {
        return fail(format!("{flat}: of which layer? write {head}1"));
    }
    match index_of(layer, layers) {
        Some(index) => Ok(Node::Symbol {
            kind,
            tensor,
            index: Some(index),
        }),
        None => fail(format!(
            "{flat}: {layer} is no layer; write a number, i or n, or one of {}",
            layers.join(", ")
        )),
    }
}

/// A layer's number, letter (plus a number) or name.
fn index_of(text: &str, layers: &[String]) -> Option<Index> {
    if let Some(place) = layers.iter().position(|layer| layer == text) {
        return Some(Index {
            variable: None,
            offset: place as i64 + 1,
        });
    }
    let (variable, rest) = match text.chars().next()? {
        letter if LETTERS.contains(letter) => (Some(letter), &text[1..]),
        _ => (None, text),
    };
    let offset = match rest {
        "" => 0,
        _ => rest.strip_prefix('+').unwrap_or(rest).parse::<i64>().ok()?,
    };
    let signed = rest.is_empty() || rest.starts_with(['+', '-']);
    let plausible = offset.unsigned_abs() < 1000 && (variable.is_none() || signed);
    (plausible && (variable.is_some() || offset >= 1)).then_some(Index { variable, offset })
}
