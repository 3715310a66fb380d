//! `range-one-image`.

use super::variant::{Form, OfObserved};
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "range-one-image",
    group: Group::Scales,
    what: "the range is that of one image, or of the last batch",
    right: "the range is what was observed: max|x| symmetric, else from least to greatest, widened to 0 (eq. 3, 10)",
    shows: "in the accumulators of a layer, the codes that a layer's accumulators become, the codes after a ReLU",
    mend: "keep the extremes of all calibration images, not of the last call",
    source: "observers that are reset in every call: 20.0 dB",
    variants: |site| {
        let forms: [Form<OfObserved>; 3] = [
            ("the first image", |seen| seen.first),
            ("the last image", |seen| seen.last),
            ("the last 100 images", |seen| seen.last_batch),
        ];
        site.by_ranges(&forms)
    },
};
