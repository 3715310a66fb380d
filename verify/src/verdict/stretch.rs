//! Between two tensors that a backend shows.

use reference::ShapeError;
use serde::{Deserialize, Serialize};

use super::{Apart, ErrorMap, ProbeVerdict};
use crate::backend::{Answer, Probe, Trial};
use crate::diagnosis::{Cause, Diagnosis, Segment, differing};
use crate::model::{ACCUMULATORS, Values};

/// A stretch of nodes whose output the backend shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stretch {
    /// The first node after the tensor before it, counted in the model.
    pub first: usize,
    /// The node whose output is compared.
    pub last: usize,
    /// The layers in between, the last one's name at the end.
    pub layers: Vec<String>,
    /// Whether accumulators are compared, not codes.
    pub accumulators: bool,
    /// The shape of the tensor.
    pub shape: Vec<usize>,
    /// How many values were compared.
    pub compared: usize,
    /// How many differ from the right network's, whatever their input was.
    pub differing: usize,
    /// Whose fault that is.
    pub outcome: Outcome,
}

/// Whether a stretch computes what the right model does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Outcome {
    /// Every value is right.
    Equal,
    /// Values differ, but they are what the right model makes of this input.
    ExplainedByInput,
    /// Every value is right, though the right model makes others of this input: the backend did
    /// not use it, or a later step makes up for it.
    EqualDespiteInput,
    /// The right model makes other values of this input.
    Differs(Box<Finding>),
}

/// What is known of a difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// How many values the right model does not make of this input.
    pub differing: usize,
    /// Each explains every value: one cause, or two.
    pub explanations: Vec<Vec<Cause>>,
    /// What can be said of the difference, a line each.
    pub evidence: Vec<String>,
    /// One output by hand, golden and theirs side by side; of the first stretch to blame.
    pub worked: Vec<String>,
    /// Inputs that would tell the explanations apart, where there are several; of the first
    /// stretch to blame.
    pub apart: Option<Apart>,
    /// Where the values differ, of tensors of one shape.
    pub map: Option<ErrorMap>,
}

impl Outcome {
    /// equal, explained or differs.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Equal | Self::EqualDespiteInput => "equal",
            Self::ExplainedByInput => "explained",
            Self::Differs(_) => "differs",
        }
    }
}

impl Stretch {
    /// Whether nothing is wrong with it.
    pub fn is_right(&self) -> bool {
        matches!(self.outcome, Outcome::Equal | Outcome::EqualDespiteInput)
    }

    /// What was found, where it is to blame.
    pub fn finding(&self) -> Option<&Finding> {
        match &self.outcome {
            Outcome::Differs(finding) => Some(finding),
            _ => None,
        }
    }

    fn finding_mut(&mut self) -> Option<&mut Finding> {
        match &mut self.outcome {
            Outcome::Differs(finding) => Some(finding),
            _ => None,
        }
    }

    /// `conv1 … pool1`, or the one layer's name.
    pub fn name(&self) -> String {
        let suffix = if self.accumulators { ACCUMULATORS } else { "" };
        match self.layers.as_slice() {
            [first, .., last] => format!("{first} … {last}{suffix}"),
            [only] => format!("{only}{suffix}"),
            [] => String::new(),
        }
    }
}

impl ProbeVerdict {
    /// Judges every tensor of an answer; `all` is everything that the backend shows, this among
    /// it.
    pub(super) fn new(
        trial: &Trial,
        answer: &Answer,
        shown: &[Shown],
        all: &[Segment],
    ) -> Result<Self, ShapeError> {
        let mut stretches: Vec<Stretch> = Vec::with_capacity(shown.len());
        let mut images = 0;
        if let Some(probe) = trial.probe(&answer.probe) {
            images = probe.images();
            let mut blamed = false;
            for shown in shown {
                let stretch = judge(probe, shown, all, !blamed)?;
                blamed |= stretch.finding().is_some();
                if stretch.outcome == Outcome::EqualDespiteInput {
                    let differs = stretches.iter_mut().rev().find_map(Stretch::finding_mut);
                    differs.into_iter().for_each(Finding::right_after_it);
                }
                stretches.push(stretch);
            }
        }
        Ok(Self {
            probe: answer.probe.clone(),
            images,
            stretches,
            problems: answer.problems.clone(),
        })
    }
}

/// A segment with what it is computed from.
pub(super) struct Shown<'a> {
    trial: &'a Trial,
    pub(super) nodes: std::ops::Range<usize>,
    pub(super) input: &'a Values,
    pub(super) observed: &'a Values,
    golden: &'a Values,
    /// What the right model makes of the input; none where that is the golden tensor.
    replayed: Option<Values>,
}

impl Shown<'_> {
    /// As the diagnosis takes it.
    pub(super) fn segment(&self) -> Segment<'_> {
        Segment {
            model: &self.trial.model,
            nodes: self.nodes.clone(),
            input: self.input,
            expected: self.replayed.as_ref().unwrap_or(self.golden),
            observed: self.observed,
        }
    }
}

/// The segments between the tensors of an answer.
pub(super) fn segments<'a>(
    trial: &'a Trial,
    probe: &'a Probe,
    answer: &'a Answer,
) -> Result<Vec<Shown<'a>>, ShapeError> {
    let (mut input, mut start, mut right) = (&probe.input, probe.nodes.start, true);
    let mut segments = Vec::with_capacity(answer.tensors.len());
    for shown in &answer.tensors {
        let nodes = start..shown.node + 1;
        let replayed = match right {
            true => None,
            false => {
                let mut x = input.clone();
                for step in trial.model.steps(nodes.clone()) {
                    x = step.run(&x)?;
                }
                Some(x)
            }
        };
        segments.push(Shown {
            trial,
            golden: probe.golden_of(shown.node),
            nodes,
            input,
            observed: &shown.values,
            replayed,
        });
        right = shown.values == *probe.golden_of(shown.node);
        (input, start) = (&shown.values, shown.node + 1);
    }
    Ok(segments)
}

fn judge(
    probe: &Probe,
    shown: &Shown,
    all: &[Segment],
    thorough: bool,
) -> Result<Stretch, ShapeError> {
    let trial = shown.trial;
    let last = shown.nodes.end - 1;
    let golden = probe.golden_of(last);
    let segment = shown.segment();
    let total = differing(golden, shown.observed);
    let of_its_input = differing(segment.expected, shown.observed) == 0;
    let outcome = match (of_its_input, total) {
        (true, 0) => Outcome::Equal,
        (true, _) => Outcome::ExplainedByInput,
        (false, 0) => Outcome::EqualDespiteInput,
        (false, _) => Outcome::Differs(Box::new(Finding::new(&segment, all, thorough)?)),
    };
    let nodes = &trial.model.nodes[shown.nodes.clone()];
    let mut layers: Vec<String> = nodes.iter().map(|node| node.layer().to_owned()).collect();
    layers.dedup();
    Ok(Stretch {
        first: shown.nodes.start,
        last,
        layers,
        accumulators: trial.model.nodes[last].is_accumulators(),
        shape: shown.observed.shape().to_vec(),
        compared: golden.data().len(),
        differing: total,
        outcome,
    })
}

impl Finding {
    /// Says that what follows is right all the same.
    fn right_after_it(&mut self) {
        self.evidence.push(
            "values shown after it are right, though the right model makes others of these: \
             they were not used, or a later step makes up for it"
                .into(),
        );
    }

    /// `thorough`: pairs of causes as well, where no single one explains it; one output by hand;
    /// inputs that part the explanations.
    fn new(segment: &Segment, all: &[Segment], thorough: bool) -> Result<Self, ShapeError> {
        let diagnosis = Diagnosis::new(segment, all, thorough)?;
        let mut evidence = diagnosis.evidence.lines();
        if let Some(cause) = &diagnosis.here_only {
            evidence.push(format!(
                "{cause} makes these values, but not all others that are shown of the layer"
            ));
        }
        let (mut worked, mut apart) = (Vec::new(), None);
        if thorough {
            worked = (diagnosis.worked(segment)?).map_or(Vec::new(), |worked| worked.lines);
            apart = (diagnosis.separation(segment)?)
                .map(|separation| Apart::new(&diagnosis.explanations, &separation));
        }
        Ok(Self {
            differing: diagnosis.differing,
            explanations: (diagnosis.explanations.iter())
                .map(|hypothesis| hypothesis.causes.clone())
                .collect(),
            evidence,
            worked,
            apart,
            map: (segment.expected.shape() == segment.observed.shape())
                .then(|| ErrorMap::new(segment.expected, segment.observed)),
        })
    }
}
