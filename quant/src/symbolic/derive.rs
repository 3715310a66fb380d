//! O1q, Oiq and the bias, derived line by line from the layer equations.
//!
//! A line is a formula that a person could have written: it is parsed and must pass
//! [`check`](super::check()) in its convention, like any other.

mod board;
mod numbers;

use super::FormulaError;
use super::expression::Equation;
use super::parse;
use crate::formulas::conventions::Convention;
use board::{At, Board};
pub use numbers::NetworkNumbers;

/// What a derivation is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How the scales are written.
    pub convention: Convention,
    /// The weighted layers, first layer first.
    pub layers: Vec<LayerPlan>,
    /// Codes are shifted by zero points.
    pub zero_points: bool,
    /// Ends with a layer i of any depth.
    pub any_depth: bool,
}

/// One weighted layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerPlan {
    /// Its name in the network; none for a layer that only has a number.
    pub name: Option<String>,
    /// It adds a bias.
    pub bias: bool,
    /// What follows it, first to last: `relu`, `pool`.
    pub after: Vec<&'static str>,
}

impl Plan {
    /// `count` layers, each with bias, ReLU and pool, and then the layer of any depth.
    pub fn general(count: u32, convention: Convention, zero_points: bool) -> Self {
        Self {
            convention,
            layers: (0..count).map(|_| LayerPlan::general()).collect(),
            zero_points,
            any_depth: true,
        }
    }
}

impl LayerPlan {
    fn general() -> Self {
        Self {
            name: None,
            bias: true,
            after: vec!["relu", "pool"],
        }
    }
}

/// One layer of a derivation.
#[derive(Clone, Debug)]
pub struct Section {
    /// Which layer, and what it is.
    pub heading: String,
    /// Its lines, each following from those above.
    pub steps: Vec<Step>,
    /// What is to be given numbers: of a numbered layer.
    pub numbers: Vec<Quantity>,
}

/// One line on the board.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is done to come to this line.
    pub why: String,
    /// The line, as `check-formula` reads it.
    pub formula: String,
    /// The same, parsed.
    pub equation: Equation,
}

/// Something that has a number in a given network.
#[derive(Clone, Debug)]
pub struct Quantity {
    /// What it is.
    pub what: String,
    /// How it is formed: an equation whose left side names it, or is the product itself.
    pub equation: Equation,
    /// The same as text.
    pub formula: String,
    /// The left side is a name for the right one.
    pub named: bool,
}

/// The derivation of every layer.
///
/// # Errors
/// None for a plan of at most 64 layers: deeper ones are not expanded.
pub fn derive(plan: &Plan) -> Result<Vec<Section>, FormulaError> {
    let mut sections = Vec::with_capacity(plan.layers.len() + 1);
    let mut previous: Option<&LayerPlan> = None;
    for (number, layer) in (1..).zip(&plan.layers) {
        let board = Board::new(plan, layer, previous, At::Layer(number));
        sections.push(Section {
            heading: heading(&format!("Layer {number}"), layer),
            steps: board.steps()?,
            numbers: board.numbers()?,
        });
        previous = Some(layer);
    }
    if plan.any_depth {
        let layer = LayerPlan::general();
        let board = Board::new(plan, &layer, Some(&layer), At::Any);
        sections.push(Section {
            heading: "Layer i, of any depth i > 1".into(),
            steps: board.steps()?,
            numbers: Vec::new(),
        });
    }
    Ok(sections)
}

fn heading(number: &str, layer: &LayerPlan) -> String {
    let bias = if layer.bias { "a bias" } else { "no bias" };
    let after = match layer.after.as_slice() {
        [] => String::new(),
        parts => format!("; then {}", parts.join(" and ")),
    };
    match &layer.name {
        Some(name) => format!("{number}, {name}: {bias}{after}"),
        None => format!("{number}: {bias}{after}"),
    }
}

fn parsed(formula: &str) -> Result<Equation, FormulaError> {
    parse::equation(formula, &[])
}
