//! A range that follows the batches.

use super::{Range, min_max};
use crate::QuantError;

/// The first batch's range, then `range + c·(the batch's range − range)` for each batch
/// more, each step in float32: PyTorch's moving-average observer.
///
/// # Errors
/// No batches, or one without a range.
pub fn moving_average<'a>(
    batches: impl IntoIterator<Item = &'a [f32]>,
    c: f32,
) -> Result<Range, QuantError> {
    let mut average: Option<Range> = None;
    for batch in batches {
        let now = min_max(batch)?;
        average = Some(match average {
            None => now,
            Some(before) => Range {
                low: before.low + c * (now.low - before.low),
                high: before.high + c * (now.high - before.high),
            },
        });
    }
    average.ok_or(QuantError::Empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_batch_moves_it_by_its_part() {
        let batches: [&[f32]; 3] = [&[-1.0, 2.0], &[-3.0, 6.0], &[0.0, 0.0]];
        let range = moving_average(batches, 0.25).unwrap();
        assert_eq!(
            range,
            Range {
                low: -1.125,
                high: 2.25
            }
        );
        assert_eq!(moving_average([], 0.25), Err(QuantError::Empty));
    }
}
