//! `zero-point-twice`.

use super::{Group, Mistake, zero_points};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "zero-point-twice",
    group: Group::ZeroPoints,
    what: "a zero point is applied twice",
    right: "q − z_I and w − z_W go into the sum, z_O is added to the quotient (eq. 22)",
    shows: "in the accumulators of a layer, the codes that a layer's accumulators become",
    mend: "apply it in the sum or in the packed bias, not in both",
    source: "kernels that fold z_I into the bias and subtract it again",
    variants: |site| zero_points::made(site, |z| 2 * z),
};
