//! As Markdown, formulas as math.

use std::fmt::Write;

use quant::contracts::SYMBOLS;

use super::{
    EVIDENCE, Matrix, READING, by_formula, cell, evidence, evidence_word, label, latex_lines,
    version,
};

/// The matrices, then every class.
pub fn markdown(matrix: &Matrix) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut page, matrix);
    page
}

fn write(page: &mut String, matrix: &Matrix) -> std::fmt::Result {
    writeln!(page, "# Contracts\n\n{}\n\n{READING}", matrix.summary())?;
    for measured in &matrix.measured {
        let name = super::capitalized(measured.name);
        writeln!(
            page,
            "\n## {name}\n\n{} {}\n",
            measured.description(),
            measured.verdict()
        )?;
        let count = matrix.classes.len();
        let numbers: Vec<String> = (1..=count).map(|number| number.to_string()).collect();
        writeln!(page, "| | {} |", numbers.join(" | "))?;
        writeln!(page, "| --- |{}", " ---: |".repeat(count))?;
        for (row, class) in matrix.classes.iter().enumerate() {
            let cells: Vec<String> = (0..count)
                .map(|column| cell(&measured.rates, row, column))
                .collect();
            writeln!(
                page,
                "| {} {} | {} |",
                row + 1,
                label(class),
                cells.join(" | ")
            )?;
        }
    }
    writeln!(page, "\n## Symbols\n")?;
    for (latex, meaning) in SYMBOLS {
        writeln!(page, "- $`{latex}`$: {meaning}")?;
    }
    writeln!(page, "\n## Classes\n")?;
    for (kind, meaning) in EVIDENCE {
        writeln!(page, "- {}: {meaning}", evidence_word(kind))?;
    }
    for (index, class) in matrix.classes.iter().enumerate() {
        let class_of = class[0].class;
        writeln!(page, "\n### {} {}", index + 1, class_of.name)?;
        if !class_of.equal_because.is_empty() {
            writeln!(page, "\nEqual: {}.", class_of.equal_because)?;
        }
        for contracts in by_formula(class) {
            writeln!(page)?;
            for contract in contracts {
                let (version, evidence) = (version(contract), evidence(contract));
                let (name, source) = (contract.name, contract.source);
                writeln!(page, "- `{name}`: {version}; {source}; {evidence}")?;
            }
            writeln!(page, "\n`{}`\n\n```math", contracts[0].formula)?;
            for line in latex_lines(contracts[0].latex) {
                writeln!(page, "{line}")?;
            }
            writeln!(page, "```")?;
        }
    }
    Ok(())
}
