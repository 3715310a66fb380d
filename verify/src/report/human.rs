//! Tables for a terminal.

use comfy_table::{CellAlignment, Table, presets};
use fixtures::OperatorCase;
use quant::QuantNetwork;
use quant::formulas::conventions::Convention;

use super::Report;
use crate::compare::percent_up;
use crate::{Claim, Outcome, Row};

pub(super) fn render(report: &Report, verbose: bool) -> String {
    let mut parts = vec![header(report), comparisons(report, verbose)];
    if !report.networks.is_empty() {
        parts.push(summary(report));
        parts.extend(notes(report));
    }
    if let Some(coverage) = &report.coverage {
        let counts = coverage
            .counts()
            .map(|(name, count)| format!("{count} {name}"));
        parts.push(format!("The int8 cases hold {}.", counts.join(", ")));
    }
    if !report.passed() {
        parts.push(failures(report));
    }
    parts.push(verdict(report));
    parts.join("\n\n") + "\n"
}

fn header(report: &Report) -> String {
    let producer = |field| match report.producer.get(field) {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "?".to_owned(),
    };
    format!(
        "Karat against PyTorch {} (goldens made on {} {}), kernels: {}",
        producer("torch"),
        producer("machine"),
        producer("cpu_capability"),
        report.kernels.join(", ")
    )
}

fn comparisons(report: &Report, verbose: bool) -> String {
    if verbose {
        let mut table = table([
            "network", "layer", "shape", "compared", "result", "worst at",
        ]);
        for row in &report.rows {
            let [network, layer] = [&row.network, &row.layer].map(String::clone);
            let (claim, result) = (row.claim.to_string(), row.outcome.to_string());
            table.add_row([
                network,
                layer,
                shape(&row.shape),
                claim,
                result,
                place(&row.outcome),
            ]);
        }
        return table.trim_fmt();
    }
    let mut table = table([
        "network",
        "layer",
        "shape",
        "compared",
        "result",
        "float, of bound",
        "worst at",
        "int8 - float",
        "bound",
        "used",
    ]);
    for group in report
        .rows
        .chunk_by(|a, b| a.network == b.network && key(a) == key(b))
    {
        table.add_row(line(group));
    }
    for column in table.column_iter_mut().skip(7) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt()
}

/// What one line of the short table is about: a layer, or all cases of an operator.
fn key(row: &Row) -> &str {
    match row.claim {
        Claim::Coverage => "coverage",
        _ if row.network == "operators" => OperatorCase::operator_of(&row.layer),
        _ => &row.layer,
    }
}

fn line(rows: &[Row]) -> [String; 10] {
    let layer = key(&rows[0]);
    let failing = rows.iter().filter(|row| !row.outcome.holds()).count();
    let result = match failing {
        0 if rows
            .iter()
            .any(|row| matches!(row.outcome, Outcome::Within { .. })) =>
        {
            "agrees".to_owned()
        }
        0 => "equal".to_owned(),
        _ => format!("DIFFERS in {failing} of {}", rows.len()),
    };
    let first_failure = rows.iter().find(|row| !row.outcome.holds());
    let float = worst(rows.iter().filter(|row| row.claim != Claim::Int8Error));
    let [share, mut at] = match float {
        Some(Outcome::Within { used, worst, .. }) if *used > 0.0 => {
            [percent_up(*used), format!("{worst:?}")]
        }
        Some(Outcome::Within { used, .. }) => [percent_up(*used), String::new()],
        _ => [String::new(), String::new()],
    };
    if let Some(row) = first_failure {
        at = place(&row.outcome);
    }
    let [error, bound, used] = match worst(rows.iter().filter(|row| row.claim == Claim::Int8Error))
    {
        Some(Outcome::Within {
            error, bound, used, ..
        }) => [
            format!("{error:.2e}"),
            format!("{bound:.2e}"),
            percent_up(*used),
        ],
        _ => [String::new(), String::new(), String::new()],
    };
    // Cases of an operator have many shapes; parameters come before a layer's output.
    let shape = match rows {
        [.., last] if layer == last.layer => shape(&last.shape),
        _ => String::new(),
    };
    let network = rows[0].network.clone();
    [
        network,
        layer.to_owned(),
        shape,
        families(rows),
        result,
        share,
        at,
        error,
        bound,
        used,
    ]
}

/// The outcome that uses most of its bound.
fn worst<'a>(rows: impl Iterator<Item = &'a Row>) -> Option<&'a Outcome> {
    let bounded = rows.filter_map(|row| match &row.outcome {
        Outcome::Within { used, .. } => Some((*used, &row.outcome)),
        _ => None,
    });
    bounded
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, outcome)| outcome)
}

/// Where an outcome is worst.
fn place(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Within { worst, .. } => format!("{worst:?}"),
        Outcome::Differs { position, .. } => format!("{position:?}"),
        _ => String::new(),
    }
}

/// What was compared, in a word each; of operator cases, how many comparisons.
fn families(group: &[Row]) -> String {
    let mut families: Vec<(String, usize)> = Vec::new();
    for row in group {
        let family = row.claim.family();
        match families.iter_mut().find(|(known, _)| *known == family) {
            Some((_, count)) => *count += 1,
            None => families.push((family, 1)),
        }
    }
    let counted = group[0].network == "operators";
    let text = families.into_iter().map(|(family, count)| match counted {
        true => format!("{count} {family}"),
        false => family,
    });
    text.collect::<Vec<_>>().join(", ")
}

/// `16×6×28×28`.
pub(crate) fn shape(shape: &[usize]) -> String {
    shape
        .iter()
        .map(usize::to_string)
        .collect::<Vec<_>>()
        .join("×")
}

fn summary(report: &Report) -> String {
    let mut table = table([
        "network",
        "images",
        "float",
        "int8",
        "float = PyTorch",
        "int8 = PyTorch",
        "PyTorch float, all",
        "PyTorch int8, all",
        "float KiB",
        "int8 KiB",
        "acc bits",
    ]);
    for n in &report.networks {
        let percent = |part: usize, whole: usize| {
            format!("{:.2} %", 100.0 * part as f64 / whole.max(1) as f64)
        };
        table.add_row([
            n.network.clone(),
            n.images.to_string(),
            percent(n.float_correct, n.images),
            percent(n.int8_correct, n.images),
            format!("{}/{}", n.float_agree, n.images),
            format!("{}/{}", n.int8_agree, n.images),
            percent(n.pytorch.float_correct, n.pytorch.images),
            percent(n.pytorch.int8_correct, n.pytorch.images),
            format!("{:.1}", n.float_bytes as f64 / 1024.0),
            format!("{:.1}", n.int8_bytes as f64 / 1024.0),
            n.accumulator_bits
                .iter()
                .map(u32::to_string)
                .collect::<Vec<_>>()
                .join(" "),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt()
}

/// What to know about the images behind an accuracy.
fn notes(report: &Report) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for n in &report.networks {
        let note = format!("{}: {}.", n.data, n.pytorch.note);
        if !n.pytorch.note.is_empty() && !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes
}

/// How many failures are spelled out.
const SHOWN: usize = 20;

fn failures(report: &Report) -> String {
    let mut table = table(["network", "layer", "compared", "at", "result"]);
    for row in report.failures().take(SHOWN) {
        let [network, layer] = [&row.network, &row.layer].map(String::clone);
        table.add_row([
            network,
            layer,
            row.claim.to_string(),
            place(&row.outcome),
            row.outcome.to_string(),
        ]);
    }
    let more = report.failures().count().saturating_sub(SHOWN);
    let rest = if more > 0 {
        format!("\n… and {more} more; `-v` or `--format json` shows all")
    } else {
        String::new()
    };
    table.trim_fmt() + &rest
}

fn verdict(report: &Report) -> String {
    let values: usize = report.rows.iter().map(|row| row.outcome.compared()).sum();
    match report.failures().next() {
        None if report.rows.is_empty() => "FAIL: nothing was compared".to_owned(),
        None => format!("PASS: {} comparisons of {values} values", report.rows.len()),
        Some(first) => format!(
            "FAIL: {} of {} comparisons; the first is network {}, layer {}, {}",
            report.failures().count(),
            report.rows.len(),
            first.network,
            first.layer,
            first.claim
        ),
    }
}

/// The scales of a network in all three conventions, eight significant digits.
pub fn scale_table(network: &QuantNetwork) -> String {
    let mut table = table([
        "layer",
        "constant",
        "relative s",
        "multiply n",
        "absolute S",
        "M",
    ]);
    let relative = network.scales();
    let [multiply, absolute] = [Convention::Multiply, Convention::Absolute].map(|c| relative.to(c));
    let number = |value: f64| format!("{value:.7e}");
    let text = |row: [&str; 2], values: [f64; 3], m: String| {
        let [a, b, c] = values.map(number);
        [row[0].to_owned(), row[1].to_owned(), a, b, c, m]
    };
    let input = [relative.input, multiply.input, absolute.input];
    table.add_row(text(["input", "I"], input, String::new()));
    let names: Vec<&str> = network.network().weighted().map(|(name, _)| name).collect();
    for (i, multiplier) in relative.multipliers().into_iter().enumerate() {
        let of = |f: fn(&quant::formulas::conventions::LayerScales<f64>) -> f64| {
            [&relative, &multiply, &absolute].map(|scales| f(&scales.layers[i]))
        };
        table.add_row(text(
            [names[i], "W"],
            of(|layer| layer.weight),
            String::new(),
        ));
        table.add_row(text(
            [names[i], "O"],
            of(|layer| layer.output),
            number(multiplier),
        ));
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt() + "\n"
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(header);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}
