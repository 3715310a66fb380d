//! `range-sigma-about-zero`.

use super::recipe::around;
use super::variant::{Form, OfObserved};
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "range-sigma-about-zero",
    group: Group::Scales,
    what: "the range is 3σ about 0: the mean is left out",
    right: "the range is what was observed: max|x| symmetric, else from least to greatest, widened to 0 (eq. 3, 10)",
    shows: "in the accumulators of a layer, the codes that a layer's accumulators become, the codes after a ReLU, the codes after a pool",
    mend: "use max(|μ − 3σ|, |μ + 3σ|)",
    source: "a measured case: 11.0 dB",
    variants: |site| {
        let forms: [Form<OfObserved>; 1] = [("", |seen| around(0.0, 3.0 * seen.deviation))];
        site.by_ranges(&forms)
    },
};
