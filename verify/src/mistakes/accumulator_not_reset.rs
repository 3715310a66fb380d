//! `accumulator-not-reset`.

use super::{Group, Mistake};
use crate::model::Values;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "accumulator-not-reset",
    group: Group::Range,
    what: "the accumulator is not set to the bias for each output: it goes on from the one before",
    right: "every output is a sum of its own (eq. 6, 7, 22)",
    shows: "in the accumulators of a layer",
    mend: "reset the accumulator in the innermost loop over outputs",
    source: "hardware whose clear signal comes late",
    variants: |site| {
        let Some(sums) = site.accumulate() else {
            return Vec::new();
        };
        let bias = sums.bias.clone();
        let running = |across: fn(usize, usize) -> (usize, usize)| {
            let bias = bias.clone();
            move |_: &Values, mut sums: Values| {
                let (channels, len) = (bias.len(), sums.item_len());
                let pixels = len / channels.max(1);
                for image in sums.data_mut().chunks_mut(len.max(1)) {
                    let (outer, inner) = across(channels, pixels);
                    for start in 0..outer {
                        let mut sum = 0.0;
                        for step in 0..inner {
                            let at = if inner == pixels {
                                start * pixels + step
                            } else {
                                step * pixels + start
                            };
                            // The bias is loaded once.
                            let own = if step == 0 {
                                0.0
                            } else {
                                bias[at / pixels] as f64
                            };
                            sum += image[at] - own;
                            image[at] = sum;
                        }
                    }
                }
                Ok(sums)
            }
        };
        let mut found = vec![site.followed(
            "over the channels of a pixel",
            running(|channels, pixels| (pixels, channels)),
        )];
        if sums.geometry.is_some() {
            found.push(site.followed(
                "over the pixels of a channel",
                running(|channels, pixels| (channels, pixels)),
            ));
        }
        found
    },
};
