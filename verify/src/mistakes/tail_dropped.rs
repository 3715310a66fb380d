//! `tail-dropped`.

use super::{Group, Mistake, Variant};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "tail-dropped",
    group: Group::Range,
    what: "a loop over products ends early: the rest that fills no vector, or one tap, is left out",
    right: "every product of the window is summed (eq. 6, 7, 22)",
    shows: "in the accumulators of a layer",
    mend: "add a loop for the rest, or pad the operands with zero points",
    source: "vector kernels tried on round sizes only",
    variants: |site| {
        let mut found: Vec<Variant> = Vec::new();
        found.extend(site.without_taps("the last", |tap, len| tap + 1 == len));
        found.extend(site.without_taps("the first", |tap, _| tap == 0));
        for lanes in [4, 8, 16, 32, 64] {
            for (order, taps) in site.tap_orders() {
                let rest = taps.len() % lanes;
                // One is the last tap; all is no kernel.
                if rest > 1 && rest < taps.len() {
                    let left_out = &taps[taps.len() - rest..];
                    found.extend(
                        site.without_taps(&format!("the rest of {lanes}, {order}"), |tap, _| {
                            left_out.contains(&tap)
                        }),
                    );
                }
            }
        }
        found
    },
};
