//! The explanation as Markdown; its tables align, for it is read in a terminal too.

use comfy_table::{Table, presets};

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
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    table.set_header(&of.head).add_rows(&of.rows);
    format!("## {}\n\n{}{table}\n", of.title, paragraphs.concat())
}
