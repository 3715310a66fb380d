//! As one HTML file.

use minijinja::value::Serde;
use minijinja::{Value, context};
use quant::contracts::SYMBOLS;
use quant::contracts::rates::{Rate, Rates};
use serde::Serialize;

use super::{
    EVIDENCE, Matrix, Measured, READING, by_formula, capitalized, cell, evidence, evidence_word,
    label, latex_lines, mathml, percent, thousands, version,
};
use crate::page;

#[derive(Serialize)]
struct Formula {
    /// None where only the source can be shown.
    mathml: Option<String>,
    latex: String,
}

#[derive(Serialize)]
struct Member {
    name: &'static str,
    version: &'static str,
    source: &'static str,
    evidence: &'static str,
}

#[derive(Serialize)]
struct Group {
    members: Vec<Member>,
    words: &'static str,
    formula: Formula,
}

#[derive(Serialize)]
struct Class {
    name: &'static str,
    label: String,
    equal_because: &'static str,
    groups: Vec<Group>,
}

#[derive(Serialize)]
struct Cell {
    text: String,
    /// What it says at length; empty on the diagonal.
    title: String,
    /// diagonal, none, share, one or more.
    kind: &'static str,
    /// How dark, 0 to 100.
    heat: u32,
}

#[derive(Serialize)]
struct Heat {
    id: String,
    name: String,
    description: String,
    verdict: String,
    rows: Vec<Vec<Cell>>,
}

/// The matrices and every class; needs no network, opens from disk, light and dark.
///
/// # Errors
/// None for the template that is built in.
pub fn html(matrix: &Matrix) -> Result<String, minijinja::Error> {
    let heats: Vec<Heat> = matrix.measured.iter().map(heat).collect();
    let classes: Vec<Class> = matrix
        .classes
        .iter()
        .map(|class| self::class(class))
        .collect();
    let symbols: Vec<(Formula, &str)> = (SYMBOLS.iter())
        .map(|&(latex, meaning)| (formula(latex), meaning))
        .collect();
    let evidence: Vec<(&str, &str)> = (EVIDENCE.iter())
        .map(|&(kind, meaning)| (evidence_word(kind), meaning))
        .collect();
    let context = context! {
        summary => matrix.summary(),
        reading => READING,
        heats => Value::from(Serde(heats)),
        classes => Value::from(Serde(classes)),
        symbols => Value::from(Serde(symbols)),
        evidence => Value::from(Serde(evidence)),
    };
    page::render(include_str!("page.html"), context)
}

fn formula(latex: &str) -> Formula {
    let mathml = mathml(latex);
    let latex = latex_lines(latex).collect::<Vec<_>>().join("\n");
    Formula { mathml, latex }
}

fn class(contracts: &'static [quant::contracts::Contract]) -> Class {
    let groups = by_formula(contracts).map(|group| Group {
        members: (group.iter())
            .map(|contract| Member {
                name: contract.name,
                version: version(contract),
                source: contract.source,
                evidence: evidence(contract),
            })
            .collect(),
        words: group[0].formula,
        formula: formula(group[0].latex),
    });
    Class {
        name: contracts[0].class.name,
        label: label(contracts),
        equal_because: contracts[0].class.equal_because,
        groups: groups.collect(),
    }
}

fn heat(measured: &Measured) -> Heat {
    let rates = &measured.rates;
    let count = rates.contracts().len();
    let rows = (0..count).map(|row| {
        (0..count)
            .map(|column| square(rates, row, column))
            .collect()
    });
    Heat {
        id: measured.name.replace(' ', "-"),
        name: capitalized(measured.name),
        description: measured.description(),
        verdict: measured.verdict(),
        rows: rows.collect(),
    }
}

fn square(rates: &Rates, row: usize, column: usize) -> Cell {
    let text = cell(rates, row, column);
    let Some(rate) = rates.between(row, column) else {
        return Cell {
            text,
            title: String::new(),
            kind: "diagonal",
            heat: 0,
        };
    };
    let names = [row, column].map(|index| rates.contracts()[index].name);
    Cell {
        text,
        title: format!("{} and {}: {}", names[0], names[1], at_length(rate)),
        kind: match rate.share() {
            None => "none",
            Some(_) if row > column => "share",
            Some(_) if rate.largest > 1 => "more",
            Some(_) => "one",
        },
        heat: darkness(rate.share().unwrap_or_default()),
    }
}

fn at_length(rate: &Rate) -> String {
    if rate.outputs == 0 {
        return "no channel for which both have numbers".to_owned();
    }
    format!(
        "{} % of {} outputs of {} channels differ, {} % by one, by {} at most",
        percent(rate.share()),
        thousands(rate.outputs),
        rate.channels,
        percent(rate.share_by_one()),
        rate.largest
    )
}

/// By the logarithm of the share: one in a million is visible, all of them is 100.
fn darkness(share: f64) -> u32 {
    if share <= 0.0 {
        return 0;
    }
    (100.0 + 15.0 * share.log10()).clamp(10.0, 100.0) as u32
}
