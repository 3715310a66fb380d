//! `input-divisor`.

use super::{Group, Mistake};
use crate::model::Step;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "input-divisor",
    group: Group::Layout,
    what: "pixels are divided by 256, 128 or 127.5",
    right: "the input is (pixel/255 − mean)/std, in this order, in float32",
    shows: "in the input's codes",
    mend: "divide by 255 first",
    source: "fixed-point front ends that shift by 8",
    variants: |site| {
        let (mean, std) = match site.step {
            Step::Quantize(quantize) => (quantize.mean, quantize.std),
            _ => return Vec::new(),
        };
        let forms = [
            site.pixels_as("256", move |pixel, _| (pixel / 256.0 - mean) / std),
            site.pixels_as("127.5, less 1", |pixel, _| pixel / 127.5 - 1.0),
            site.pixels_as("less 128, by 128", |pixel, _| (pixel - 128.0) / 128.0),
            site.pixels_as("less 127.5, by 128", |pixel, _| (pixel - 127.5) / 128.0),
            site.pixels_as("times 1/255", move |pixel, _| {
                (pixel * (1.0 / 255.0) - mean) / std
            }),
        ];
        forms.into_iter().flatten().collect()
    },
};
