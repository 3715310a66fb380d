//! `scale-inverted`.

use quant::Scale;
use quant::contracts::Channel;

use super::{Group, Mistake, Variant};
use crate::model::Step;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "scale-inverted",
    group: Group::Scales,
    what: "n = 1/s is taken for s: what is to be divided by a scale is multiplied by it",
    right: "q = round(x/s) (eq. 1, 4, 5, 11); n = 1/s belongs to the multiply convention alone (eq. 12)",
    shows: "in the input's codes, the accumulators of a layer, the codes that a layer's accumulators become",
    mend: "say of every constant whether it is s or 1/s; divide by s, multiply by n",
    source: "docstrings of one convention on code of the other",
    variants: |site| {
        let invert = |scale: f64| f64::from((1.0 / scale) as f32);
        let origin = site.origin();
        let weights = origin.and_then(|origin| {
            let scales = &origin.weight_scales;
            site.weights_of("weights", |o, _, w| {
                let scale = scales[if scales.len() == 1 { 0 } else { o }].get();
                f64::from(w / (1.0 / scale)).round_ties_even()
            })
        });
        let input =
            match site.step {
                Step::Quantize(quantize) => Scale::new(invert(quantize.params.scale.wide()))
                    .ok()
                    .map(|scale| {
                        let mut quantize = quantize.clone();
                        quantize.params.scale = scale;
                        Variant::named("input", Step::Quantize(quantize))
                    }),
                _ => None,
            };
        let outputs = site.rescaled("outputs", |_, channel| {
            Some(Channel {
                input_scale: invert(channel.input_scale),
                weight_scale: invert(channel.weight_scale),
                output_scale: invert(channel.output_scale),
                ..channel
            })
        });
        let bias = site.bias_in_steps_of("bias", |parts| 1.0 / parts.all());
        [weights, input, outputs, bias]
            .into_iter()
            .flatten()
            .collect()
    },
};
