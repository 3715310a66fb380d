//! `weights-transposed`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "weights-transposed",
    group: Group::Layout,
    what: "the matrix of a linear layer is [in, out] where [out, in] is read, or the reverse",
    right: "weights of a linear layer are [out, in]",
    shows: "in the accumulators of a layer",
    mend: "transpose the matrix when it is written or read",
    source: "ML-KWS-for-MCU#51",
    variants: |site| {
        if site.accumulate().is_none_or(|sums| sums.geometry.is_some()) {
            return Vec::new();
        }
        let written = site.weights_laid_out("written [in, out], read [out, in]", &[1, 0]);
        let read = site.weights_read("written [out, in], read [in, out]", &[1, 0]);
        [written, read].into_iter().flatten().collect()
    },
};
