//! `half-away`.

use quant::Rounding;

use super::{Group, Mistake, Variant};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "half-away",
    group: Group::Rounding,
    what: "halves are rounded away from zero: C's round",
    right: "halves go to the even neighbour, as PyTorch's round (eq. 4 to 7, 22)",
    shows: "in the input's codes, the codes that a layer's accumulators become, the codes after a pool",
    mend: "replace round by rint, or x ± 0.5 and a cast by round-half-even",
    source: "onnxruntime#25045",
    variants: |site| {
        let mut found: Vec<Variant> = Vec::new();
        found.extend(site.rounding("", Rounding::TiesAwayFromZero));
        found.extend(site.weights_rounded("", f64::round));
        found.extend(site.quotients("x ± ½ in float32, cut off", |steps, z| {
            f64::from((steps as f32 + 0.5f32.copysign(steps as f32)).trunc()) + z
        }));
        found
    },
};
