//! Delta debugging: as few and as small inputs as still make the difference.

use super::Stretch;

/// How many runs it may take.
const EFFORT: usize = 600;

/// Makes values of the input neutral, then halves what is left, while right and wrong differ
/// at this flat position of the last output.
pub(super) fn shrink(stretch: &mut Stretch, at: usize) {
    let mut effort = EFFORT;
    let mut left: Vec<usize> = (0..stretch.input.data().len())
        .filter(|&i| stretch.input.data()[i] != stretch.neutral)
        .collect();
    let neutral = stretch.neutral;
    let mut size = left.len().div_ceil(2);
    while size > 0 && effort > 0 {
        let mut kept = Vec::new();
        for chunk in left.chunks(size) {
            let changes: Vec<(usize, f64)> = chunk.iter().map(|&i| (i, neutral)).collect();
            if !keeps(stretch, at, &changes, &mut effort) {
                kept.extend_from_slice(chunk);
            }
        }
        let fewer = kept.len() < left.len();
        left = kept;
        size = match size {
            // Again, as long as single values go.
            1 if fewer => 1,
            1 => 0,
            _ => size.div_ceil(2),
        };
    }
    for &i in &left {
        loop {
            let code = stretch.input.data()[i];
            let half = neutral + ((code - neutral) / 2.0).trunc();
            if half == code || half == neutral || !keeps(stretch, at, &[(i, half)], &mut effort) {
                break;
            }
        }
    }
}

/// Changes these values if the difference stays; says whether it did.
fn keeps(stretch: &mut Stretch, at: usize, changes: &[(usize, f64)], effort: &mut usize) -> bool {
    if *effort == 0 {
        return false;
    }
    *effort -= 1;
    let before: Vec<f64> = changes
        .iter()
        .map(|&(i, _)| stretch.input.data()[i])
        .collect();
    for &(i, value) in changes {
        stretch.input.data_mut()[i] = value;
    }
    let differs = (stretch.outputs()).is_ok_and(|[right, wrong]| {
        right.shape() == wrong.shape() && right.data()[at] != wrong.data()[at]
    });
    if !differs {
        for (&(i, _), value) in changes.iter().zip(before) {
            stretch.input.data_mut()[i] = value;
        }
    }
    differs
}
