//! `channels-bgr`.

use super::{Group, Mistake, Variant};
use crate::model::Step;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "channels-bgr",
    group: Group::Layout,
    what: "the channels of the image are reversed: BGR for RGB",
    right: "the input's channels are R, G, B",
    shows: "in the input's codes",
    mend: "reverse the channels of what the image library gives",
    source: "OpenCV reads BGR",
    variants: |site| match site.step {
        Step::Quantize(quantize) if quantize.channels.len() > 1 => {
            let mut quantize = quantize.clone();
            quantize.channels.reverse();
            Variant::only(Step::Quantize(quantize))
        }
        _ => Vec::new(),
    },
};
