//! `weights-ohwi`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "weights-ohwi",
    group: Group::Layout,
    what: "the kernel's axes are OHWI or HWIO where OIHW is read, or the reverse",
    right: "weights of a convolution are OIHW",
    shows: "in the accumulators of a layer",
    mend: "transpose the kernel when it is written or read",
    source: "TensorFlow's HWIO, LiteRT's OHWI",
    variants: |site| {
        [
            ("OHWI", [0, 2, 3, 1]),
            ("HWIO", [2, 3, 1, 0]),
            ("IOHW", [1, 0, 2, 3]),
        ]
        .into_iter()
        .flat_map(|(form, axes)| {
            [
                site.weights_laid_out(&format!("written {form}, read OIHW"), &axes),
                site.weights_read(&format!("written OIHW, read {form}"), &axes),
            ]
        })
        .flatten()
        .collect()
    },
};
