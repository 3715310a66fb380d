//! `shift-off-by-one`.

use quant::contracts::Channel;

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "shift-off-by-one",
    group: Group::Scales,
    what: "the shift of the multiplier is off by one bit: outputs twice or half as large",
    right: "M = mantissa · 2^(e − 31) with the e that was stored (eq. 13)",
    shows: "in the codes that a layer's accumulators become",
    mend: "check the sign and the origin of the exponent: frexp's mantissa lies in [½, 1)",
    source: "ports between libraries that count the shift from 31 and from 32",
    variants: |site| {
        [("one bit too many", 2.0), ("one bit too few", 0.5)]
            .into_iter()
            .filter_map(|(form, factor)| {
                site.rescaled(form, |_, channel| {
                    Some(Channel {
                        output_scale: channel.output_scale * factor,
                        ..channel
                    })
                })
            })
            .collect()
    },
};
