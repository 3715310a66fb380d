//! `per-channel-first-for-all`.

use quant::contracts::Channel;

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "per-channel-first-for-all",
    group: Group::Scales,
    what: "one weight scale is used for every channel",
    right: "each output channel has its own s_W (eq. 22)",
    shows: "in the codes that a layer's accumulators become",
    mend: "index the scales by the output channel",
    source: "kernels written for one scale a tensor",
    variants: |site| {
        let Some(requantize) = site.requantize() else {
            return Vec::new();
        };
        let scales = || {
            requantize
                .channels
                .iter()
                .map(|channel| channel.weight_scale)
        };
        let forms = [
            ("the first", scales().next()),
            ("the last", scales().next_back()),
            ("the largest", scales().reduce(f64::max)),
        ];
        forms
            .into_iter()
            .filter_map(|(form, scale)| {
                site.rescaled(form, |_, channel| {
                    Some(Channel {
                        weight_scale: scale?,
                        ..channel
                    })
                })
            })
            .collect()
    },
};
