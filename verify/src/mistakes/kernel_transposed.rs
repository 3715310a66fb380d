//! `kernel-transposed`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "kernel-transposed",
    group: Group::Layout,
    what: "rows and columns of the kernel are exchanged",
    right: "weights are OIHW: rows before columns",
    shows: "in the accumulators of a layer",
    mend: "exchange the last two axes",
    source: "column-major writers",
    variants: |site| {
        site.weights_laid_out("", &[0, 1, 3, 2])
            .into_iter()
            .collect()
    },
};
