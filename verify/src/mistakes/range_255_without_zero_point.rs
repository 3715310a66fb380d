//! `range-255-without-zero-point`.

use quant::observers::Range;

use super::recipe::Recipe;
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "range-255-without-zero-point",
    group: Group::Scales,
    what: "s = (max − min)/255 and no zero point",
    right: "a scale from max − min needs the zero point that moves min to the lowest code; else s = max|x|/127 (eq. 3)",
    shows: "in the accumulators of a layer, the codes that a layer's accumulators become",
    mend: "keep the zero point, or make the scale of max|x|",
    source: "a measured case: 18.6 dB",
    variants: |site| {
        site.by_symmetric_ranges(&Recipe {
            // (max − min)/255 is half of it over 127.5, in float32 too.
            range: Some(|seen| {
                let high = (seen.range.high - seen.range.low) / 2.0;
                Range { low: -high, high }
            }),
            one_side: 127.5,
            ..Recipe::RIGHT
        })
    },
};
