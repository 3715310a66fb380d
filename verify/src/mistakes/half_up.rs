//! `half-up`.

use quant::Rounding;

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "half-up",
    group: Group::Rounding,
    what: "halves are rounded toward +∞: ⌊x + ½⌋",
    right: "halves go to the even neighbour, as PyTorch's round (eq. 6, 7, 22)",
    mend: "replace floor(x + 0.5) or a rounding shift by round-half-even (rint, roundps)",
    source: "onnxruntime#25045, tt-metal#56525",
    variants: |site| {
        let arithmetic = site
            .requantize()
            .and_then(|requantize| requantize.arithmetic.with_rounding(Rounding::HalfUp));
        site.computing(arithmetic)
    },
};
