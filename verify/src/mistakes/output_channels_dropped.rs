//! `output-channels-dropped`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "output-channels-dropped",
    group: Group::Range,
    what: "the last output channels, which fill no vector, stay 0",
    right: "every output channel is computed (eq. 22)",
    shows: "in the accumulators of a layer",
    mend: "add a loop for the rest, or pad the output channels",
    source: "vector kernels tried on round sizes only",
    variants: |site| {
        let outputs = site.accumulate().map_or(0, |sums| sums.outputs());
        let rests: std::collections::BTreeMap<usize, usize> = [64, 32, 16, 8, 4]
            .map(|lanes| (outputs % lanes, lanes))
            .into_iter()
            .filter(|(rest, _)| (1..outputs).contains(rest))
            .collect();
        rests
            .into_iter()
            .filter_map(|(rest, lanes)| {
                site.of_sum(&format!("the rest of {lanes}"), move |o, sum| {
                    if o < outputs - rest { sum } else { 0 }
                })
            })
            .collect()
    },
};
