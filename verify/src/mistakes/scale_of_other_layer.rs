//! `scale-of-other-layer`.

use quant::contracts::Channel;

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "scale-of-other-layer",
    group: Group::Scales,
    what: "the output scale of another layer is used",
    right: "each layer has its own s_O (eq. 10) or S_O (eq. 13)",
    shows: "in the codes that a layer's accumulators become",
    mend: "check by how much the list of scales and the list of layers are shifted",
    source: "lists of scales with and without the input's",
    variants: |site| {
        let Some(weighted) = site.weighted() else {
            return Vec::new();
        };
        let layers = &site.model.origin.layers;
        let of = |form, layer: Option<usize>| {
            let other = layers.get(layer?)?.output.wide();
            site.rescaled(form, |_, channel| {
                Some(Channel {
                    output_scale: other,
                    ..channel
                })
            })
        };
        let forms = [
            of("the layer before", weighted.checked_sub(1)),
            of("the layer after", Some(weighted + 1)),
        ];
        forms.into_iter().flatten().collect()
    },
};
