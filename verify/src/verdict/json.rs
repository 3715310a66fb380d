//! A verdict as JSON.

use super::{FORMAT, Verdict};

/// One object; [`parse`] reads it back.
pub fn render(verdict: &Verdict) -> String {
    // Strings, integers and lists: nothing that JSON lacks.
    serde_json::to_string_pretty(verdict).unwrap_or_default()
}

/// A verdict that [`render`] wrote.
///
/// # Errors
/// What is no verdict of this version, in words.
pub fn parse(text: &str) -> Result<Verdict, String> {
    let verdict: Verdict = serde_json::from_str(text).map_err(|error| error.to_string())?;
    match verdict.format {
        FORMAT => Ok(verdict),
        other => Err(format!("format {other}, expected {FORMAT}")),
    }
}
