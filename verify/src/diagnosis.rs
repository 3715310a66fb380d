//! Why a backend's tensor differs: the mistakes and contracts that reproduce it, value for
//! value; or, if none does, what can be said of the difference.
//!
//! The golden model is replayed on the backend's own input under each hypothesis. A name is
//! given only where every value of the tensor is reproduced.

mod evidence;
mod hypothesis;
pub mod rates;
mod rounded;
mod search;
mod separate;
mod worked;

use std::ops::Range;

use reference::ShapeError;

use crate::model::{Model, Values};

pub use evidence::{Arrangement, Evidence, Finding};
pub(crate) use hypothesis::changes_at;
pub use hypothesis::{Cause, Hypothesis};
pub use separate::{Parting, Separation, separate};
pub use worked::{Worked, worked};

/// A stretch of a model between two tensors that a backend shows.
#[derive(Clone, Debug)]
pub struct Segment<'a> {
    /// The right model.
    pub model: &'a Model,
    /// The nodes between the two.
    pub nodes: Range<usize>,
    /// What the backend put in.
    pub input: &'a Values,
    /// What the right model makes of that.
    pub expected: &'a Values,
    /// What the backend made of it.
    pub observed: &'a Values,
}

/// What is known of a difference.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    /// How many values differ.
    pub differing: usize,
    /// Every hypothesis that reproduces all values, single causes before pairs; of pairs only
    /// where no single cause does.
    pub explanations: Vec<Hypothesis>,
    /// Where there is none: a cause that makes these values, but not all others that are shown.
    pub here_only: Option<Hypothesis>,
    /// What else can be said of the difference.
    pub evidence: Evidence,
}

impl Diagnosis {
    /// Looks for what makes the observed values; `thorough`: by pairs of causes as well, where no
    /// single one does. `shown` is all else that the backend shows of the same nodes, right or
    /// wrong: an explanation makes every value of that too, since one tensor of few values may
    /// fit by chance.
    ///
    /// # Errors
    /// A segment whose input is not of its model's shape.
    pub fn new(segment: &Segment, shown: &[Segment], thorough: bool) -> Result<Self, ShapeError> {
        let differing = differing(segment.expected, segment.observed);
        let (mut explanations, mut here_only) = (Vec::new(), None);
        if differing > 0 {
            explanations = search::singles(segment)?;
            here_only = explanations.first().cloned();
            explanations.retain(|hypothesis| hypothesis.makes(shown));
            if explanations.is_empty() && thorough {
                explanations = search::pairs(segment)?;
                explanations.retain(|hypothesis| hypothesis.makes(shown));
            }
        }
        Ok(Self {
            differing,
            here_only: here_only.filter(|_| explanations.is_empty()),
            explanations,
            evidence: Evidence::new(segment),
        })
    }

    /// Inputs on which the explanations part, looked for now; none where there are not two.
    ///
    /// # Errors
    /// A segment whose input is not of its model's shape.
    pub fn separation(&self, segment: &Segment) -> Result<Option<Separation>, ShapeError> {
        match self.explanations.len() {
            0 | 1 => Ok(None),
            _ => separate(segment, &self.explanations).map(Some),
        }
    }

    /// One output worked by hand, under the first explanation where there is one; none where
    /// nothing differs.
    ///
    /// # Errors
    /// A segment whose input is not of its model's shape.
    pub fn worked(&self, segment: &Segment) -> Result<Option<Worked>, ShapeError> {
        worked(segment, self.explanations.first())
    }
}

/// In how many places two tensors of one shape differ; all, if the shapes do.
pub fn differing(expected: &Values, observed: &Values) -> usize {
    if expected.shape() != observed.shape() {
        return expected.data().len().max(observed.data().len()).max(1);
    }
    (expected.data().iter().zip(observed.data()))
        .filter(|(a, b)| a != b)
        .count()
}
