//! Predicted classes: those of the int8 network are exactly PyTorch's, those of the
//! float network wherever the logits are further apart than their bounds.

use fixtures::NetworkFixture;
use kernels::{Executor, Kernels};
use quant::QuantError;
use reference::{ShapeError, Tensor};

use super::Rows;
use super::float::{batches, bounded_trace};
use crate::compare::exact_list;
use crate::{Claim, Outcome, Row, Subject};

/// Images run at once.
const BATCH: usize = 500;

/// The predictions for some images, and whether they are PyTorch's.
pub struct Predictions {
    /// Float network.
    pub float: Vec<u8>,
    /// int8 network.
    pub int8: Vec<u8>,
    /// The comparisons.
    pub rows: Vec<Row>,
}

/// Predicts the classes of `pixels`, the first of the test images.
///
/// # Errors
/// Images that are not of the network's input shape.
pub fn check_predictions(
    fixture: &NetworkFixture,
    pixels: &Tensor<u8>,
    subject: &Subject,
    kernels: Kernels,
) -> Result<Predictions, QuantError> {
    let executor = Executor::new(&subject.integer, kernels)?;
    let (mut float, mut int8) = (Vec::new(), Vec::new());
    for batch in batches(pixels, BATCH) {
        let input = subject.float.input().normalize(&batch?);
        // A log-softmax at the end keeps the order of the classes.
        float.extend(argmax(&subject.float.forward(&input)?));
        int8.extend(argmax(&executor.forward(&input)?));
    }
    let mut rows = Rows::new(fixture.network.name());
    let shape = [int8.len()];
    let first = |all: &[u8]| all[..all.len().min(int8.len())].to_vec();
    let outcome = float_outcome(&first(&fixture.float.predictions), &float, pixels, subject)?;
    rows.push("output", Claim::FloatPredictions, &shape, outcome);
    let outcome = exact_list(&first(&fixture.int8.predictions), &int8);
    rows.push("output", Claim::Int8Predictions, &shape, outcome);
    Ok(Predictions {
        float,
        int8,
        rows: rows.rows,
    })
}

/// Two float networks may disagree on a class only where ours scores the two classes
/// within the sum of their bounds.
fn float_outcome(
    expected: &[u8],
    got: &[u8],
    pixels: &Tensor<u8>,
    subject: &Subject,
) -> Result<Outcome, ShapeError> {
    let outcome = exact_list(expected, got);
    if outcome.holds() || expected.len() != got.len() {
        return Ok(outcome);
    }
    let (mut used, mut error, mut bound, mut worst) = (0.0, 0.0, 0.0, 0);
    for (n, (&theirs, &ours)) in expected.iter().zip(got).enumerate() {
        if theirs == ours {
            continue;
        }
        let shape = [&[1], &pixels.shape()[1..]].concat();
        let image = Tensor::new(&shape, pixels.item(n).to_vec())?;
        let trace = bounded_trace(&subject.float, &subject.float.input().normalize(&image))?;
        let (Some(scores), Some(bounds)) = (trace.outputs.last(), trace.bounds.last()) else {
            return Ok(outcome);
        };
        let [theirs, ours] = [usize::from(theirs), usize::from(ours)];
        if theirs >= scores.data().len() {
            return Ok(outcome);
        }
        let gap = f64::from(scores.data()[ours]) - f64::from(scores.data()[theirs]);
        let both = bounds.data()[ours] + bounds.data()[theirs];
        let share = gap / both;
        if share.is_nan() || share > used {
            let share = if share.is_nan() { f64::INFINITY } else { share };
            (used, error, bound, worst) = (share, gap, both, n);
        }
    }
    if used <= 1.0 {
        return Ok(Outcome::Within {
            compared: got.len(),
            used,
            error,
            bound,
            worst: vec![worst],
        });
    }
    Ok(outcome)
}

/// The class of the largest score of each row [N, classes]; the lowest class of equals.
pub fn argmax<E: Copy + PartialOrd>(scores: &Tensor<E>) -> Vec<u8> {
    let classes = scores.item_len().max(1);
    (scores.data().chunks_exact(classes))
        .map(|row| {
            let best = (1..classes).fold(0, |best, i| if row[i] > row[best] { i } else { best });
            u8::try_from(best).unwrap_or(u8::MAX)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_class_of_equals_wins() {
        let scores = Tensor::new(&[3, 3], vec![1i8, 5, 5, 7, 7, 2, -3, -2, -1]).unwrap();
        assert_eq!(argmax(&scores), [1, 0, 2]);
    }
}
