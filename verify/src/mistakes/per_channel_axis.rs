//! `per-channel-axis`.

use quant::contracts::Channel;

use super::{Group, Mistake, Variant};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "per-channel-axis",
    group: Group::Scales,
    what: "per-channel scales are taken along another axis than the output channels",
    right: "weights are OIHW: s_W belongs to axis 0, and of the output to axis 1 (eq. 22)",
    shows: "in the accumulators of a layer, the codes that a layer's accumulators become",
    mend: "index the scales by the output channel; check quantized_dimension",
    source: "executorch PR903",
    variants: |site| {
        let scales = site
            .origin()
            .map_or(&[][..], |origin| &origin.weight_scales);
        if scales.len() < 2 {
            return Vec::new();
        }
        let mut found: Vec<Variant> = Vec::new();
        if let Some(sums) = site.accumulate() {
            let shape = sums.weight.shape().to_vec();
            let inner: usize = shape[2..].iter().product();
            let by_input = |_, tap: usize, w: f32| {
                f64::from(w / scales[(tap / inner) % scales.len()].get()).round_ties_even()
            };
            found.extend(site.weights_of("weights by input channel", by_input));
        }
        let rank = site.model.nodes[site.node].shape.len();
        for (axis, form) in [(2, "outputs by row"), (3, "outputs by column")] {
            if axis < rank {
                found.extend(site.requantized(form, |requantize| requantize.axis = axis));
            }
        }
        if site.requantize().is_some() {
            let last = scales.len() - 1;
            let channels = site
                .requantize()
                .map_or(&[][..], |requantize| &requantize.channels);
            found.extend(site.rescaled("outputs in reverse order", |o, channel| {
                Some(Channel {
                    weight_scale: channels[last - o].weight_scale,
                    ..channel
                })
            }));
        }
        found
    },
};
