//! `zero-point-negated`.

use super::{Group, Mistake, zero_points};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "zero-point-negated",
    group: Group::ZeroPoints,
    what: "a zero point has the wrong sign",
    right: "q − z_I and w − z_W go into the sum, z_O is added to the quotient (eq. 22)",
    shows: "in the accumulators of a layer, the codes that a layer's accumulators become",
    mend: "say whether a constant is the zero point or the offset that is added, its negative",
    source: "libraries that store the negated zero point",
    variants: |site| zero_points::made(site, |z| -z),
};
