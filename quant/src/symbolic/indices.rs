//! Indices: the letters i, j and n, products over layers, and the layer of a symbol.

use std::collections::BTreeMap;
use std::ops::Range;

use super::FormulaError;
use super::expression::{Expression, Index, Kind, Node, Tensor};

/// The deepest network that is expanded.
pub(super) const MOST_LAYERS: u32 = 64;
/// How many parts of a formula are evaluated, products over layers multiplied out.
pub(super) const MOST_STEPS: u32 = 5_000;

pub(super) type Bindings = BTreeMap<char, i64>;

/// The letters in each factor of a product over layers.
pub(super) fn repeated(
    variable: char,
    from: &Index,
    to: &Index,
    bindings: &Bindings,
    span: &Range<usize>,
) -> Result<Vec<Bindings>, FormulaError> {
    let fail = |message: String| Err(FormulaError::new(message, span.clone()));
    if bindings.contains_key(&variable) {
        return fail(format!("{variable} already stands for something here"));
    }
    let (from, to) = (bound(from, bindings, span)?, bound(to, bindings, span)?);
    if to - from >= i64::from(MOST_LAYERS) {
        return fail("a product over too many layers".into());
    }
    let with = |value| {
        let mut inner = bindings.clone();
        inner.insert(variable, value);
        inner
    };
    Ok((from..=to).map(with).collect())
}

/// Every symbol of an expression with its layer, products over layers written out (as far as
/// they would be evaluated).
pub(super) fn symbols(expression: &Expression, bindings: &Bindings) -> Vec<(Kind, Tensor, u32)> {
    let mut found = Vec::new();
    let mut pending = vec![(expression, bindings.clone())];
    let mut steps = 0;
    while let Some((expression, bindings)) = pending.pop() {
        steps += 1;
        if steps > MOST_STEPS {
            break;
        }
        match &expression.node {
            Node::Symbol {
                kind,
                tensor,
                index,
            } => {
                if let Ok(layer) = layer_of(index.as_ref(), &bindings, &expression.span) {
                    found.push((*kind, *tensor, layer));
                }
            }
            Node::Repeated {
                variable,
                from,
                to,
                body,
            } => {
                let inner = repeated(*variable, from, to, &bindings, &expression.span);
                pending.extend(inner.into_iter().flatten().map(|inner| (&**body, inner)));
            }
            _ => pending.extend(
                expression
                    .parts()
                    .into_iter()
                    .map(|part| (part, bindings.clone())),
            ),
        }
    }
    found
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
