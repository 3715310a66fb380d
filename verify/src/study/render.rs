//! A study as a page: HTML that needs nothing else, Markdown, JSON.

mod markdown;
mod page;
mod plot;
mod sections;
mod text;

pub use markdown::markdown;
pub use page::html;

use super::Study;

/// All numbers, for machines.
pub fn json(study: &Study) -> String {
    // Numbers and strings only: this cannot fail.
    serde_json::to_string_pretty(study).unwrap_or_default() + "\n"
}

/// A number with four significant digits.
fn short(value: f64) -> String {
    let magnitude = if value == 0.0 {
        0
    } else {
        value.abs().log10().floor() as i32
    };
    match magnitude {
        -3..=4 => format!("{value:.*}", (3 - magnitude).max(0) as usize),
        _ => format!("{value:.3e}"),
    }
}

/// Percent with two decimals.
fn percent(value: f64) -> String {
    format!("{value:.2} %")
}

/// Decibel, or that there was no such error.
fn decibel(value: Option<f64>) -> String {
    value.map_or("no error".into(), |value| format!("{value:.1} dB"))
}
