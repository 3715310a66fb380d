//! `input-normalized-twice`.

use super::{Group, Mistake};
use crate::model::Step;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "input-normalized-twice",
    group: Group::Layout,
    what: "an input that is normalized already is normalized again",
    right: "the input is (pixel/255 − mean)/std, once",
    shows: "in the input's codes",
    mend: "normalize in the loader or in the network, not in both",
    source: "loaders that return tensors of [0, 1]",
    variants: |site| {
        let (mean, std) = match site.step {
            Step::Quantize(quantize) => (quantize.mean, quantize.std),
            _ => return Vec::new(),
        };
        let once = move |pixel: f32| (pixel / 255.0 - mean) / std;
        let forms = [
            site.pixels_as("mean and std", move |pixel, _| (once(pixel) - mean) / std),
            site.pixels_as("the division by 255", move |pixel, _| once(pixel / 255.0)),
        ];
        forms.into_iter().flatten().collect()
    },
};
