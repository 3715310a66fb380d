//! One differing output, small enough to be worked by hand, right and wrong side by side.

mod cause;
mod shrink;
mod stages;
mod text;

use reference::{ShapeError, Tensor};
use serde::Serialize;

use super::{Hypothesis, Segment, differing};
use crate::model::{Step, Values};
use cause::Stretch;
use stages::Stage;

/// The text of a worked example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Worked {
    /// At most [`Worked::MAX_LINES`], each of at most [`Worked::MAX_COLUMNS`] characters.
    pub lines: Vec<String>,
}

impl Worked {
    /// The most lines there are.
    pub const MAX_LINES: usize = 20;
    /// The most characters of a line.
    pub const MAX_COLUMNS: usize = 100;
}

/// Works one differing output of the segment: of a shrunk input where a hypothesis says what
/// theirs computes, else of their own input, right numbers alone. None where nothing differs.
///
/// # Errors
/// A segment whose input is not of its model's shape.
pub fn worked(
    segment: &Segment,
    hypothesis: Option<&Hypothesis>,
) -> Result<Option<Worked>, ShapeError> {
    if differing(segment.expected, segment.observed) == 0 || segment.nodes.is_empty() {
        return Ok(None);
    }
    if segment.expected.shape() != segment.observed.shape() {
        let line = format!(
            "the shapes differ: golden {:?}, theirs {:?}",
            segment.expected.shape(),
            segment.observed.shape()
        );
        return Ok(Some(Worked { lines: vec![line] }));
    }
    Ok(match hypothesis {
        Some(hypothesis) => named(segment, hypothesis)?,
        None => unknown(segment)?,
    })
}

/// The first image on which the two differ, as a batch of one, and where.
fn first_difference(segment: &Segment) -> Result<Option<(Values, usize, usize)>, ShapeError> {
    let (expected, observed) = (segment.expected.data(), segment.observed.data());
    let Some(at) = (0..expected.len()).find(|&at| expected[at] != observed[at]) else {
        return Ok(None);
    };
    let item = segment.expected.item_len();
    let mut shape = segment.input.shape().to_vec();
    if let Some(images) = shape.first_mut() {
        *images = 1;
    }
    let image = Tensor::new(&shape, segment.input.item(at / item).to_vec())?;
    Ok(Some((image, at / item, at % item)))
}

fn named(segment: &Segment, hypothesis: &Hypothesis) -> Result<Option<Worked>, ShapeError> {
    let Some((image, ..)) = first_difference(segment)? else {
        return Ok(None);
    };
    let Some((mut stretch, at)) = Stretch::of_cause(segment, hypothesis, image)? else {
        return Ok(None);
    };
    let before = stretch.input.data().len();
    shrink::shrink(&mut stretch, at);
    let [golden, theirs] = stretch.outputs()?;
    let [right, wrong] = [&golden, &theirs].map(|output| output.data()[at]);
    let position = golden.position(at);
    let by = match hypothesis.causes.is_empty() {
        true => String::new(),
        false => format!(" ({hypothesis})"),
    };
    let name = stretch.name(segment);
    let place = text::position(&position);
    let (what, neutral) = (stretch.what(segment), stretch.neutral);
    let mut lines = vec![
        format!("{name}{place}: golden {right}, theirs {wrong}{by}"),
        match stretch.nonzero() {
            0 => format!("on an input that is {neutral} everywhere:"),
            1 => format!("on a shrunk input, of whose {before} {what} 1 is not {neutral}:"),
            left => {
                format!("on a shrunk input, of whose {before} {what} {left} are not {neutral}:")
            }
        },
    ];
    let golden: Vec<&Step> = stretch.golden.iter().collect();
    let theirs: Vec<&Step> = stretch.theirs.iter().collect();
    let [right, wrong] = [stretch.traces(&golden)?, stretch.traces(&theirs)?];
    let with = |products: usize| {
        let of = |steps: &[&Step], traces: &[Values], beside: &[Stage]| {
            stages::stages(steps, &stretch.input, traces, &position, beside, products)
        };
        // Whichever side leaves a choice follows the other.
        let beside = of(&theirs, &wrong, &[]);
        let right = of(&golden, &right, &beside);
        let wrong = of(&theirs, &wrong, &right);
        text::side_by_side(&stretch.names, &right, &wrong)
    };
    // All products, if there is room for them.
    let stages = Some(with(usize::MAX))
        .filter(|stages| lines.len() + stages.len() <= Worked::MAX_LINES)
        .unwrap_or_else(|| with(PRODUCTS));
    lines.extend(stages);
    Ok(Some(text::fit(lines)))
}

/// How many products of a sum are shown where not all can be.
const PRODUCTS: usize = 8;

fn unknown(segment: &Segment) -> Result<Option<Worked>, ShapeError> {
    let Some((image, number, at)) = first_difference(segment)? else {
        return Ok(None);
    };
    let stretch = Stretch::of_end(segment, image)?;
    let [golden, _] = stretch.outputs()?;
    let position = golden.position(at);
    let theirs = segment.observed.item(number)[at];
    let mut lines = vec![
        format!(
            "{}{} of image {number}: golden {}, theirs {theirs}",
            stretch.name(segment),
            text::position(&position),
            golden.data()[at]
        ),
        "golden, on their own input:".to_owned(),
    ];
    let steps: Vec<&Step> = stretch.golden.iter().collect();
    let traces = stretch.traces(&steps)?;
    let right = stages::stages(&steps, &stretch.input, &traces, &position, &[], PRODUCTS);
    lines.extend(text::side_by_side(&stretch.names, &right, &right));
    lines.push(format!("theirs: {theirs}"));
    Ok(Some(text::fit(lines)))
}
