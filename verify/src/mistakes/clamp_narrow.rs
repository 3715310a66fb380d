//! `clamp-narrow`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "clamp-narrow",
    group: Group::Range,
    what: "outputs are clamped to [−127, 127]",
    right: "int8 codes go down to −128 (eq. 6, 7, 22); only weights may be narrow",
    shows: "in the codes that a layer's accumulators become",
    mend: "clamp at −128, or agree on the narrow range",
    source: "symmetric quantizers of weights used on activations",
    variants: |site| {
        site.rescaled("", |_, mut channel| {
            if channel.clamp.low == -128 {
                channel.clamp.low = -127;
            }
            Some(channel)
        })
        .into_iter()
        .collect()
    },
};
