//! `input-normalization`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "input-normalization",
    group: Group::Layout,
    what: "pixels are normalized otherwise than in training",
    right: "the input is (pixel/255 − mean)/std with the mean and std of training",
    shows: "in the input's codes",
    mend: "normalize by the constants that the network was trained with",
    source: "[0, 1] fed to a network of [−1, 1]: 51 % agreement",
    variants: |site| {
        let by = |mean: [f32; 3], std: [f32; 3]| {
            move |pixel: f32, channel: usize| (pixel / 255.0 - mean[channel % 3]) / std[channel % 3]
        };
        let forms = [
            site.pixels_as("[0, 1]", |pixel, _| pixel / 255.0),
            site.pixels_as("[0, 255]", |pixel, _| pixel),
            site.pixels_as("[−1, 1]", |pixel, _| (pixel / 255.0 - 0.5) / 0.5),
            site.pixels_as("[−½, ½]", |pixel, _| pixel / 255.0 - 0.5),
            site.pixels_as("MNIST's mean and std", by([0.1307; 3], [0.3081; 3])),
            site.pixels_as(
                "CIFAR-10's mean and std",
                by([0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]),
            ),
            site.pixels_as(
                "ImageNet's mean and std",
                by([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
            ),
        ];
        forms.into_iter().flatten().collect()
    },
};
