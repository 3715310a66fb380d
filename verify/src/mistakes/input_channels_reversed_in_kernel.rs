//! `input-channels-reversed-in-kernel`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "input-channels-reversed-in-kernel",
    group: Group::Layout,
    what: "the kernel's input channels are in reverse order",
    right: "channel c of the kernel multiplies channel c of the input (eq. 6)",
    shows: "in the accumulators of a layer",
    mend: "keep the order of the input channels",
    source: "converters between RGB and BGR models",
    variants: |site| {
        site.weights_placed("", |shape, at| {
            let (channels, inner) = (shape[1], shape[2..].iter().product::<usize>());
            let c = at / inner % channels;
            at - c * inner + (channels - 1 - c) * inner
        })
        .into_iter()
        .filter(|_| {
            site.accumulate()
                .is_some_and(|sums| sums.geometry.is_some())
        })
        .collect()
    },
};
