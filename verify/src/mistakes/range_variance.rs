//! `range-variance`.

use super::recipe::around;
use super::variant::{Form, OfObserved};
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "range-variance",
    group: Group::Scales,
    what: "the variance is taken for the standard deviation: μ ± 3σ²",
    right: "the range is what was observed: max|x| symmetric, else from least to greatest, widened to 0 (eq. 3, 10)",
    shows: "in the accumulators of a layer, the codes that a layer's accumulators become, the codes after a ReLU, the codes after a pool",
    mend: "take the square root of the variance",
    source: "a measured case: accuracy 10 % if used for weights",
    variants: |site| {
        let forms: [Form<OfObserved>; 1] = [("3σ²", |seen| {
            around(seen.mean, 3.0 * seen.deviation * seen.deviation)
        })];
        site.by_ranges(&forms)
    },
};
