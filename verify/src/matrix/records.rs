//! As JSON.

use quant::contracts::{Contract, SYMBOLS, rates};
use serde::Serialize;

use super::{Matrix, Measured, evidence, latex_lines};

#[derive(Serialize)]
struct Records {
    format: u32,
    symbols: Vec<Symbol>,
    classes: Vec<Class>,
    populations: Vec<Population>,
}

#[derive(Serialize)]
struct Symbol {
    latex: &'static str,
    meaning: &'static str,
}

#[derive(Serialize)]
struct Class {
    name: &'static str,
    equal_because: Option<&'static str>,
    contracts: Vec<Member>,
}

#[derive(Serialize)]
struct Member {
    name: &'static str,
    formula: &'static str,
    latex: String,
    version: Option<&'static str>,
    source: &'static str,
    evidence: &'static str,
}

#[derive(Serialize)]
struct Population {
    name: &'static str,
    meaning: &'static str,
    channels: usize,
    outputs: usize,
    gate: Gate,
    gate_of_libraries: Gate,
    pairs: Vec<Pair>,
}

#[derive(Serialize)]
struct Gate {
    pairs: usize,
    differing: usize,
    noticed_beyond_one: usize,
}

impl From<rates::Gate> for Gate {
    fn from(gate: rates::Gate) -> Self {
        Self {
            pairs: gate.pairs,
            differing: gate.differing,
            noticed_beyond_one: gate.noticed,
        }
    }
}

#[derive(Serialize)]
struct Pair {
    contracts: [&'static str; 2],
    channels: usize,
    outputs: usize,
    differing: usize,
    by_one: usize,
    /// Null where nothing was compared.
    share: Option<f64>,
    largest: Option<u32>,
}

/// All numbers, for machines.
pub fn json(matrix: &Matrix) -> String {
    let symbols = SYMBOLS
        .iter()
        .map(|&(latex, meaning)| Symbol { latex, meaning });
    let records = Records {
        format: 1,
        symbols: symbols.collect(),
        classes: matrix
            .classes
            .iter()
            .map(|class| self::class(class))
            .collect(),
        populations: matrix.measured.iter().map(population).collect(),
    };
    // Numbers and strings only: this cannot fail.
    serde_json::to_string_pretty(&records).unwrap_or_default() + "\n"
}

fn class(contracts: &'static [Contract]) -> Class {
    let class = contracts[0].class;
    let filled = |text: &'static str| (!text.is_empty()).then_some(text);
    Class {
        name: class.name,
        equal_because: filled(class.equal_because),
        contracts: (contracts.iter())
            .map(|contract| Member {
                name: contract.name,
                formula: contract.formula,
                latex: latex_lines(contract.latex).collect::<Vec<_>>().join("\n"),
                version: filled(contract.version),
                source: contract.source,
                evidence: evidence(contract),
            })
            .collect(),
    }
}

fn population(measured: &Measured) -> Population {
    let rates = &measured.rates;
    let contracts = rates.contracts();
    let mut pairs = Vec::new();
    for b in 0..contracts.len() {
        for a in 0..b {
            let Some(rate) = rates.between(a, b) else {
                continue;
            };
            pairs.push(Pair {
                contracts: [contracts[a].name, contracts[b].name],
                channels: rate.channels,
                outputs: rate.outputs,
                differing: rate.differing,
                by_one: rate.by_one,
                share: rate.share(),
                largest: (rate.outputs > 0).then_some(rate.largest),
            });
        }
    }
    Population {
        name: measured.name,
        meaning: measured.meaning,
        channels: measured.channels,
        outputs: measured.outputs,
        gate: Gate::from(rates.gate(|_| true)),
        gate_of_libraries: Gate::from(measured.gate_of_libraries()),
        pairs,
    }
}
