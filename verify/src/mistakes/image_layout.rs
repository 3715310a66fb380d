//! `image-layout`.

use super::variant::{mirrored, relaid};
use super::{Group, Mistake};
use crate::model::Step;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "image-layout",
    group: Group::Layout,
    what: "the image's rows, columns or channels are laid out otherwise than they are read",
    right: "images are NCHW, rows from top to bottom",
    shows: "in the input's codes",
    mend: "transpose or flip the image as the network was trained on it",
    source: "HWC images, EMNIST's transposed digits, bottom-up bitmaps",
    variants: |site| {
        let Step::Quantize(quantize) = site.step else {
            return Vec::new();
        };
        let fed = |form: &str, axes: [usize; 4]| {
            site.fed(form, move |image| {
                relaid(image, &axes)?.reshape(image.shape())
            })
        };
        let flipped = |form: &str, rows: bool, columns: bool| {
            site.fed(form, move |image| Ok(mirrored(image, rows, columns)))
        };
        let mut found = vec![
            fed("rows and columns exchanged", [0, 1, 3, 2]),
            flipped("upside down", true, false),
            flipped("left to right", false, true),
            flipped("turned by 180°", true, true),
        ];
        if quantize.channels.len() > 1 {
            found.push(fed("HWC read as CHW", [0, 2, 3, 1]));
        }
        found
    },
};
