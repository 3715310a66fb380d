//! `kernel-flipped`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "kernel-flipped",
    group: Group::Layout,
    what: "the kernel is turned by 180°, or mirrored: a convolution in the mathematical sense",
    right: "the layer correlates: tap (ky, kx) reads row y + ky, column x + kx (eq. 6)",
    shows: "in the accumulators of a layer",
    mend: "do not flip the kernel, or flip it once",
    source: "scipy.signal.convolve2d used as a reference",
    variants: |site| {
        [
            ("by 180°", true, true),
            ("rows", true, false),
            ("columns", false, true),
        ]
        .into_iter()
        .filter_map(|(form, rows, columns)| {
            site.weights_placed(form, |shape, at| match shape {
                [_, _, height, width] => {
                    let (y, x) = (at / width % height, at % width);
                    let (to_y, to_x) = (
                        if rows { height - 1 - y } else { y },
                        if columns { width - 1 - x } else { x },
                    );
                    at - (y * width + x) + to_y * width + to_x
                }
                _ => at,
            })
        })
        .collect()
    },
};
