//! `range-mean-as-max`.

use super::recipe::around;
use super::variant::{Form, OfObserved};
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "range-mean-as-max",
    group: Group::Scales,
    what: "a mean is taken for the maximum",
    right: "the range is what was observed: max|x| symmetric, else from least to greatest, widened to 0 (eq. 3, 10)",
    shows: "in the accumulators of a layer, the codes that a layer's accumulators become, the codes after a ReLU",
    mend: "take the maximum of |x|",
    source: "a measured case: 21.2 dB",
    variants: |site| {
        let forms: [Form<OfObserved>; 2] = [
            ("half the range and the mean", |seen| {
                around(
                    0.0,
                    f64::from(seen.range.high - seen.range.low) / 2.0 + seen.mean,
                )
            }),
            ("mean of |x|", |seen| around(0.0, seen.absolute_mean)),
        ];
        site.by_ranges(&forms)
    },
};
