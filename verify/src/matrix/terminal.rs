//! For a terminal.

use std::fmt::Write;

use comfy_table::{CellAlignment, Row, Table, presets};
use quant::contracts::{ALL, Contract, SYMBOLS};

use super::{
    Matrix, Measured, READING, by_formula, capitalized, cell, evidence, evidence_meaning, label,
    latex_lines, version,
};

/// How long lines of prose are.
const WIDTH: usize = 96;

/// Every class with its contracts, then a matrix of each population.
pub fn terminal(matrix: &Matrix) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, matrix);
    text
}

fn write(text: &mut String, matrix: &Matrix) -> std::fmt::Result {
    let symbols = "acc is the accumulator; si, sw, so are the scales of input, weight and output, \
                   z is the output's zero point, m = si·sw/so; rne rounds to nearest, halves to \
                   even, away the same away from zero, up toward +∞.";
    writeln!(text, "{}\n", wrapped(symbols, 0))?;
    let widest = |of: fn(&Contract) -> &str| ALL.iter().map(|c| of(c).chars().count()).max();
    let [names, versions] = [widest(|c| c.name), widest(version)].map(Option::unwrap_or_default);
    for (index, class) in matrix.classes.iter().enumerate() {
        let class_of = class[0].class;
        writeln!(text, "{:>2}  {}", index + 1, class_of.name)?;
        if !class_of.equal_because.is_empty() {
            writeln!(
                text,
                "{}",
                wrapped(&format!("equal: {}", class_of.equal_because), 4)
            )?;
        }
        for contracts in by_formula(class) {
            for contract in contracts {
                let (name, version, evidence) =
                    (contract.name, version(contract), evidence(contract));
                writeln!(
                    text,
                    "    {name:<names$}  {version:<versions$}  {evidence:<9}  {}",
                    contract.source
                )?;
            }
            writeln!(text, "        {}", contracts[0].formula)?;
        }
        writeln!(text)?;
    }
    writeln!(text, "{}", wrapped(READING, 0))?;
    for measured in &matrix.measured {
        let name = capitalized(measured.name);
        writeln!(text, "\n{name}\n\n{}", wrapped(&measured.description(), 0))?;
        writeln!(text, "{}\n", wrapped(&measured.verdict(), 0))?;
        writeln!(text, "{}", table(matrix, measured).trim_fmt())?;
    }
    Ok(())
}

fn table(matrix: &Matrix, measured: &Measured) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    let numbers = (1..=matrix.classes.len()).map(|number| number.to_string());
    table.set_header(["".to_owned(), String::new()].into_iter().chain(numbers));
    for (row, class) in matrix.classes.iter().enumerate() {
        let cells = (0..matrix.classes.len()).map(|column| cell(&measured.rates, row, column));
        let heading = [(row + 1).to_string(), label(class)];
        table.add_row(Row::from(heading.into_iter().chain(cells)));
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((u16::from(index > 0), 0));
        if index != 1 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// One contract: what it computes, what it equals, where it is from.
pub fn one(contract: &'static Contract) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_one(&mut text, contract);
    text
}

fn write_one(text: &mut String, contract: &Contract) -> std::fmt::Result {
    let latex: Vec<&str> = latex_lines(contract.latex).collect();
    let class = contract.class;
    let members: Vec<&str> = (ALL.iter())
        .filter(|other| other.class == class)
        .map(|other| other.name)
        .collect();
    let mut equal = members.join(" = ");
    if !class.equal_because.is_empty() {
        equal = format!(
            "{equal}\n{}",
            wrapped(&format!("equal: {}", class.equal_because), 0)
        );
    }
    let rests = format!("{}: {}", evidence(contract), evidence_meaning(contract));
    writeln!(text, "{}\n", contract.name)?;
    let rows = [
        ("words", contract.formula.to_owned()),
        ("LaTeX", latex.join("\n")),
        ("class", format!("{}: {equal}", class.name)),
        ("version", version(contract).to_owned()),
        ("source", contract.source.to_owned()),
        ("evidence", rests),
    ];
    writeln!(text, "{}\n\nIts symbols:\n", pairs(rows))?;
    let symbols = SYMBOLS
        .iter()
        .map(|&(latex, meaning)| (latex, wrapped(meaning, 0)));
    writeln!(text, "{}", pairs(symbols))
}

fn pairs<'a>(rows: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    for (name, value) in rows {
        table.add_row([name, &value]);
    }
    for column in table.column_iter_mut() {
        column.set_padding((2, 0));
    }
    table.trim_fmt()
}

/// In lines of at most [`WIDTH`] characters, unless a word is longer.
fn wrapped(text: &str, indent: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("{:indent$}{word}", "")),
        }
    }
    lines.join("\n")
}
