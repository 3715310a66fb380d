//! `output-zero-point-ignored`.

use quant::contracts::Channel;

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "output-zero-point-ignored",
    group: Group::ZeroPoints,
    what: "the output's zero point is not added",
    right: "O_q = clamp(round(acc·M) + z_O) (eq. 22)",
    shows: "in the codes that a layer's accumulators become",
    mend: "add z_O after rounding, before the clamp",
    source: "kernels written for symmetric outputs",
    variants: |site| {
        site.rescaled("", |_, channel| {
            Some(Channel {
                output_zero_point: 0,
                ..channel
            })
        })
        .into_iter()
        .collect()
    },
};
