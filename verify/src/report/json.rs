//! One JSON object.

use super::Report;

pub(super) fn render(report: &Report) -> String {
    // Plain data with string keys: nothing in it can fail.
    let mut text = serde_json::to_string_pretty(report).unwrap_or_default();
    text.push('\n');
    text
}
