//! A run as Markdown, for a page.

use std::fmt::Write;

use super::report::{Figures, Measured, Report, Theirs};
use super::workload::Kind;

/// A table a kind of work, and below them what each engine ran.
pub(crate) fn markdown(report: &Report) -> String {
    let mut text = heading(report);
    for (kind, title) in [
        (Kind::Network, "Networks"),
        (Kind::Matmul, "Matrix products, M = N = K"),
        (Kind::Conv2d, "Convolutions"),
        (Kind::Depthwise, "Depthwise convolutions"),
    ] {
        let rows: Vec<&Measured> = (report.workloads.iter())
            .filter(|workload| workload.kind == kind)
            .collect();
        if !rows.is_empty() {
            let _ = write!(text, "\n## {title}\n\n{}", table(&rows));
        }
    }
    let notes = notes(report);
    if !notes.is_empty() {
        let _ = write!(text, "\n## What was run\n\n{notes}");
    }
    text
}

fn heading(report: &Report) -> String {
    format!(
        "{}; one core does at most {:.1} GMAC/s; medians of {} interleaved rounds. ×: how many times as long as Karat an engine takes.\n",
        report.cpu, report.limit, report.rounds
    )
}

fn table(rows: &[&Measured]) -> String {
    let mut engines: Vec<&str> = Vec::new();
    for engine in rows.iter().flat_map(|row| &row.peers) {
        if !engines.contains(&engine.engine.as_str()) {
            engines.push(&engine.engine);
        }
    }
    let head: String = engines
        .iter()
        .map(|engine| format!(" {engine} |"))
        .collect();
    let rule = " ---: |".repeat(engines.len() + 2);
    let mut text = format!("| | a call | Karat |{head}\n| --- |{rule}\n");
    for row in rows {
        let _ = write!(
            text,
            "| {} | {} | {} |",
            row.name,
            duration(row.ours.figures.nanoseconds.median),
            figure(&row.ours.figures)
        );
        for engine in &engines {
            let theirs = row.peers.iter().find(|peer| peer.engine == *engine);
            let _ = write!(text, " {} |", theirs.map_or("–".to_owned(), beside));
        }
        text.push('\n');
    }
    text
}

/// `226 GMAC/s (96 %)`.
fn figure(figures: &Figures) -> String {
    let gmacs = significant(figures.gmacs);
    format!("{gmacs} GMAC/s ({:.0} %)", 100.0 * figures.share)
}

/// `1.31×, 41.2 GMAC/s (17 %)`.
fn beside(theirs: &Theirs) -> String {
    format!(
        "{}×, {}",
        significant(theirs.ratio.median),
        figure(&theirs.figures)
    )
}

fn duration(nanoseconds: f64) -> String {
    if nanoseconds < 1e6 {
        format!("{} µs", significant(nanoseconds / 1e3))
    } else {
        format!("{} ms", significant(nanoseconds / 1e6))
    }
}

/// Three digits: more would be noise.
fn significant(value: f64) -> String {
    match value {
        _ if value >= 100.0 => format!("{value:.0}"),
        _ if value >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Each engine's version, forms and agreement, and who gave no figure.
fn notes(report: &Report) -> String {
    let mut notes: Vec<(String, Vec<String>)> = Vec::new();
    let mut note =
        |what: String, workload: &str| match notes.iter_mut().find(|(known, _)| *known == what) {
            Some((_, workloads)) => workloads.push(workload.to_owned()),
            None => notes.push((what, vec![workload.to_owned()])),
        };
    for workload in &report.workloads {
        for Theirs {
            engine,
            version,
            form,
            outputs,
            ..
        } in &workload.peers
        {
            note(
                format!("{engine} {version}, {form}: {outputs}"),
                &workload.name,
            );
        }
        for missing in &workload.missing {
            note(
                format!("{} gave no figure: {}", missing.engine, missing.reason),
                &workload.name,
            );
        }
    }
    notes.sort();
    (notes.iter())
        .map(|(what, workloads)| format!("- {what} ({})\n", workloads.join(", ")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::agreement::Agreement;
    use super::super::report::{Missing, Ours};
    use super::super::statistics::{ratios, spread};
    use super::*;

    const OURS: [f64; 3] = [4e3, 5e3, 4e3];

    fn theirs(engine: &str, times: [f64; 3], differing: usize) -> Theirs {
        let agreement = Agreement {
            outputs: 640,
            differing,
            largest: u32::from(differing > 0),
            same_class: 64,
            images: 64,
        };
        Theirs {
            engine: engine.to_owned(),
            version: "1.2.3".to_owned(),
            form: "u8·s8".to_owned(),
            agreement,
            outputs: agreement.to_string(),
            figures: Figures::new(spread(times).unwrap(), 651_720.0, 234.8),
            ratio: ratios(&OURS, &times).unwrap(),
        }
    }

    fn measured(name: &str, kind: Kind, peers: Vec<Theirs>, missing: Vec<Missing>) -> Measured {
        Measured {
            name: name.to_owned(),
            kind,
            batch: 1,
            threads: 1,
            cores: vec![1],
            macs: 651_720.0,
            ours: Ours {
                isa: "portable".to_owned(),
                figures: Figures::new(spread(OURS).unwrap(), 651_720.0, 234.8),
            },
            peers,
            missing,
        }
    }

    fn report() -> Report {
        let missing = Missing {
            engine: "torch".to_owned(),
            reason: "ModuleNotFoundError: No module named 'torch'".to_owned(),
        };
        Report {
            cpu: "AMD EPYC".to_owned(),
            limit: 234.8,
            rounds: 3,
            workloads: vec![
                measured(
                    "lab-b1",
                    Kind::Network,
                    vec![
                        theirs("litert", [16e3, 20e3, 17e3], 0),
                        theirs("onednn", [22e3, 30e3, 22e3], 1),
                    ],
                    vec![missing],
                ),
                measured("lab-b10000", Kind::Network, Vec::new(), Vec::new()),
                measured(
                    "matmul-64",
                    Kind::Matmul,
                    vec![theirs("onednn", [2e6, 2e6, 3e6], 0)],
                    Vec::new(),
                ),
            ],
        }
    }

    #[test]
    fn a_run_as_markdown() {
        insta::assert_snapshot!(markdown(&report()));
    }

    #[test]
    fn a_run_as_json() {
        insta::assert_snapshot!(serde_json::to_string_pretty(&report()).unwrap());
    }

    #[test]
    fn three_digits_whatever_the_size() {
        let shown = [0.0123, 1.234, 12.34, 123.4, 1234.5].map(significant);
        assert_eq!(shown, ["0.01", "1.23", "12.3", "123", "1234"]);
    }
}
