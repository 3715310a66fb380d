//! `range-sigma`.

use super::recipe::around;
use super::variant::{Form, OfObserved};
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "range-sigma",
    group: Group::Scales,
    what: "the range is μ ± nσ, where the whole range was agreed",
    right: "the range is what was observed: max|x| symmetric, else from least to greatest, widened to 0 (eq. 3, 10)",
    shows: "in the accumulators of a layer, the codes that a layer's accumulators become, the codes after a ReLU, the codes after a pool",
    mend: "use the max-abs (min–max) observer, or agree on nσ",
    source: "calibration by standard deviations: 3σ clips 0.3 %",
    variants: |site| {
        let forms: [Form<OfObserved>; 2] = [
            ("3σ", |seen| around(seen.mean, 3.0 * seen.deviation)),
            ("2σ", |seen| around(seen.mean, 2.0 * seen.deviation)),
        ];
        site.by_ranges(&forms)
    },
};
