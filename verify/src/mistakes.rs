//! Real mistakes in int8 pipelines, one a file: what is computed instead, and how to mend it.
//!
//! A mistake makes wrong steps of right ones. Whoever replays the model with such a step and
//! gets a backend's tensor, value for value, has found the cause. To add one, write its file
//! and its line in the list below; `docs/mistakes/` has a page for each.

mod variant;

macro_rules! registry {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*

        /// Every mistake, in the order of the groups.
        pub const ALL: &[Mistake] = &[$($module::MISTAKE),*];
    };
}

registry!(
    accumulator_16_wraps,
    flatten_hwc,
    half_up,
    output_scale_missing_history,
    padding_zero,
);

pub use variant::{Site, Variant};

/// One mistake.
#[derive(Clone, Copy, Debug)]
pub struct Mistake {
    /// Short, unique and stable: the cause code.
    pub id: &'static str,
    /// What it is about.
    pub group: Group,
    /// What is computed instead, in one sentence.
    pub what: &'static str,
    /// What would be right, with its equation where there is one.
    pub right: &'static str,
    /// Where to look, and what to change there.
    pub mend: &'static str,
    /// Where it was seen.
    pub source: &'static str,
    /// The wrong steps that may take the place of a right one; none where it does not apply.
    pub variants: fn(&Site) -> Vec<Variant>,
}

/// What a mistake is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Formulas and scales.
    Scales,
    /// Rounding.
    Rounding,
    /// Range and width.
    Range,
    /// Zero points.
    ZeroPoints,
    /// Layout and structure.
    Layout,
}

/// The mistake of this name.
pub fn find(id: &str) -> Option<&'static Mistake> {
    ALL.iter().find(|mistake| mistake.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_everything_is_said() {
        for (at, mistake) in ALL.iter().enumerate() {
            assert!(ALL[..at].iter().all(|other| other.id != mistake.id));
            for text in [mistake.what, mistake.right, mistake.mend, mistake.source] {
                assert!(!text.is_empty(), "{}", mistake.id);
            }
        }
        assert!(find("half-up").is_some() && find("no such").is_none());
    }
}
