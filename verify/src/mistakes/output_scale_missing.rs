//! `output-scale-missing`.

use quant::contracts::Channel;

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "output-scale-missing",
    group: Group::Scales,
    what: "the output scale is left out: the accumulator, or its real value, is rounded and clamped",
    right: "Oiq = clamp(round(acc/s_O)) (eq. 6, 7); M = s_W·s_I/S_O (eq. 13)",
    shows: "in the codes that a layer's accumulators become",
    mend: "divide by the output scale before rounding",
    source: "kernels that return dequantized sums as int8",
    variants: |site| {
        site.rescaled("", |_, channel| {
            Some(Channel {
                output_scale: 1.0,
                ..channel
            })
        })
        .into_iter()
        .collect()
    },
};
