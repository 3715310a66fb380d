//! A set of cases that sees everything, of which none can be spared.

use std::collections::BTreeSet;

/// Cases that together hit every set: the one that hits most of what is left, again and again;
/// then every case goes that the others make superfluous.
pub fn minimal(kills: &[BTreeSet<usize>]) -> BTreeSet<usize> {
    let mut left: Vec<&BTreeSet<usize>> = (kills.iter()).filter(|kill| !kill.is_empty()).collect();
    let mut chosen: BTreeSet<usize> = BTreeSet::new();
    while !left.is_empty() {
        let all: BTreeSet<usize> = left.iter().flat_map(|kill| kill.iter().copied()).collect();
        let hits = |case: &usize| left.iter().filter(|kill| kill.contains(case)).count();
        // The earliest of those that hit most.
        let Some(best) = all.into_iter().rev().max_by_key(hits) else {
            break;
        };
        chosen.insert(best);
        left.retain(|kill| !kill.contains(&best));
    }
    for case in chosen.clone() {
        chosen.remove(&case);
        if !covers(&chosen, kills) {
            chosen.insert(case);
        }
    }
    chosen
}

/// Whether these cases hit every set, and no longer do when any one of them is left out.
pub fn is_minimal(cases: &BTreeSet<usize>, kills: &[BTreeSet<usize>]) -> bool {
    covers(cases, kills)
        && cases.iter().all(|case| {
            let mut fewer = cases.clone();
            fewer.remove(case);
            !covers(&fewer, kills)
        })
}

fn covers(cases: &BTreeSet<usize>, kills: &[BTreeSet<usize>]) -> bool {
    (kills.iter())
        .filter(|kill| !kill.is_empty())
        .all(|kill| !kill.is_disjoint(cases))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minimal_set_covers_and_spares_none() {
        let kills: Vec<BTreeSet<usize>> = [vec![0, 1, 2], vec![0, 3], vec![1, 3], vec![4], vec![]]
            .map(BTreeSet::from_iter)
            .to_vec();
        let cases = minimal(&kills);
        assert!(is_minimal(&cases, &kills), "{cases:?}");
        assert_eq!(cases.len(), 3);
        assert!(!is_minimal(&BTreeSet::from([0, 1, 3, 4]), &kills));
        assert!(!is_minimal(&BTreeSet::from([0, 3]), &kills));
    }

    #[test]
    fn what_greed_takes_too_much_is_spared() {
        // Greed takes 0 first; 1 and 2 are then needed all the same, and cover alone.
        let kills = [[0, 1], [0, 2], [1, 3], [2, 4]].map(BTreeSet::from);
        assert_eq!(minimal(&kills).len(), 2);
    }
}
