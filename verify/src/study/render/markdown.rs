//! The report as Markdown: every table, no plot.

use std::fmt::Write;

use super::sections::{Table, overview, sections, subtitle};
use super::text;
use crate::study::Study;

/// The whole report.
pub fn markdown(study: &Study) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut page, study);
    page
}

fn write(page: &mut String, study: &Study) -> std::fmt::Result {
    writeln!(
        page,
        "# Quantization report\n\nWeights trained and goldens made with PyTorch {}.\n",
        study.torch
    )?;
    table(page, &overview(study))?;
    writeln!(page, "\n{}", text::overview(study))?;
    for network in &study.networks {
        writeln!(page, "\n## {}\n\n{}\n", network.name, subtitle(network))?;
        for section in sections(network) {
            writeln!(page, "### {}\n\n{}\n", section.title, section.text)?;
            for part in &section.tables {
                table(page, part)?;
                writeln!(page)?;
            }
        }
    }
    writeln!(page, "\n## How it was made\n")?;
    for note in text::notes(study) {
        writeln!(page, "- {note}")?;
    }
    Ok(())
}

fn table(page: &mut String, table: &Table) -> std::fmt::Result {
    writeln!(page, "| {} |", table.head.join(" | "))?;
    let rules = (0..table.head.len()).map(|i| if i == 0 { "---" } else { "---:" });
    writeln!(page, "| {} |", rules.collect::<Vec<_>>().join(" | "))?;
    for row in &table.rows {
        writeln!(page, "| {} |", row.join(" | "))?;
    }
    Ok(())
}
