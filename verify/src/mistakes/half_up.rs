//! `half-up`.

use quant::Rounding;

use super::{Group, Mistake, Variant};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "half-up",
    group: Group::Rounding,
    what: "halves are rounded toward +∞: ⌊x + ½⌋",
    right: "halves go to the even neighbour, as PyTorch's round (eq. 4 to 7, 22)",
    shows: "in the input's codes, the codes that a layer's accumulators become, the codes after a pool",
    mend: "replace floor(x + 0.5) or a rounding shift by round-half-even (rint, roundps)",
    source: "onnxruntime#25045, tt-metal#56525",
    variants: |site| {
        let mut found: Vec<Variant> = Vec::new();
        found.extend(site.rounding("", Rounding::HalfUp));
        found.extend(site.weights_rounded("", |x| (x + 0.5).floor()));
        found.extend(site.quotients("⌊x + ½⌋ in float32", |steps, z| {
            f64::from((steps as f32 + 0.5).floor()) + z
        }));
        found
    },
};
