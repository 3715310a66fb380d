//! The explanation as Markdown.

use super::Explanation;
use super::sections::{Section, sections};

/// The whole page.
pub fn markdown(of: &Explanation) -> String {
    let parts: Vec<String> = sections(of).iter().map(section).collect();
    format!("# {} by NNTool\n\n{}", of.network, parts.join("\n"))
}

fn section(of: &Section) -> String {
    let paragraphs: Vec<String> = of
        .paragraphs
        .iter()
        .map(|text| format!("{text}\n\n"))
        .collect();
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule = vec!["---".to_owned(); of.head.len()];
    let rows: String = of.rows.iter().map(|row| line(row)).collect();
    format!(
        "## {}\n\n{}{}{}{rows}",
        of.title,
        paragraphs.concat(),
        line(&of.head),
        line(&rule)
    )
}
