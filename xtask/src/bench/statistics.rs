//! What is said of many rounds.

use serde::Serialize;

/// The middle of a series and how far it spreads.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    /// The middle value; the mean of the two middle ones of an even count.
    pub(crate) median: f64,
    /// The lowest.
    pub(crate) lowest: f64,
    /// The highest.
    pub(crate) highest: f64,
}

/// The spread of finite values; `None` of none.
pub(crate) fn spread(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let median = match sorted.len() % 2 {
        _ if sorted.is_empty() => return None,
        1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    };
    Some(Spread {
        median,
        lowest: sorted[0],
        highest: sorted[sorted.len() - 1],
    })
}

/// How many times as long as `ours` each round of `theirs` took.
pub(crate) fn ratios(ours: &[f64], theirs: &[f64]) -> Option<Spread> {
    spread(ours.iter().zip(theirs).map(|(ours, theirs)| theirs / ours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_of_the_sorted_values() {
        assert_eq!(spread([3.0, 1.0, 10.0]).unwrap().median, 3.0);
        assert_eq!(spread([4.0, 1.0, 10.0, 2.0]).unwrap().median, 3.0);
        assert_eq!(spread([]), None);
        let one = spread([7.0]).unwrap();
        assert_eq!((one.lowest, one.median, one.highest), (7.0, 7.0, 7.0));
    }

    #[test]
    fn a_ratio_is_of_one_round_and_not_of_medians() {
        // The second round was disturbed for both.
        let found = ratios(&[1.0, 10.0, 1.0], &[2.0, 20.0, 3.0]).unwrap();
        assert_eq!((found.lowest, found.median, found.highest), (2.0, 2.0, 3.0));
    }
}
