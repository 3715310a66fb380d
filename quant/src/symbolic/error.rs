//! Why a formula is not understood.

use std::ops::Range;

/// A formula that cannot be read, or read as an equation between scaled tensors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FormulaError {
    /// What is wrong, and what would be right.
    pub message: String,
    /// The bytes of the formula that are meant.
    pub span: Range<usize>,
}

impl FormulaError {
    /// An error at a place.
    pub fn new(message: impl Into<String>, span: Range<usize>) -> Self {
        Self {
            message: message.into(),
            span,
        }
    }

    /// The formula with a caret under the place, and the message.
    pub fn show(&self, formula: &str) -> String {
        const AROUND: usize = 60;
        let cut = |at: usize| (at..=formula.len()).find(|&at| formula.is_char_boundary(at));
        let start = cut(self.span.start.min(formula.len())).unwrap_or(formula.len());
        let from = cut(start.saturating_sub(AROUND)).unwrap_or(0);
        let end = cut((start + AROUND).min(formula.len())).unwrap_or(formula.len());
        let line: String = (formula[from..end].chars())
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let before = formula[from..start].chars().count();
        let length = formula
            .get(self.span.clone())
            .map_or(1, |part| part.chars().count());
        let carets = "^".repeat(length.clamp(1, AROUND));
        format!("{line}\n{}{carets}\n{}", " ".repeat(before), self.message)
    }
}
