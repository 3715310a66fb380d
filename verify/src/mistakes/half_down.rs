//! `half-down`.

use super::variant::{Form, Real};
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "half-down",
    group: Group::Rounding,
    what: "halves are rounded down, or toward zero",
    right: "halves go to the even neighbour, as PyTorch's round (eq. 6, 7, 22)",
    shows: "in the codes that a layer's accumulators become",
    mend: "use round-half-even",
    source: "fixed-point code that adds half less one",
    variants: |site| {
        let forms: [Form<Real>; 2] = [
            ("toward −∞", |x| (x - 0.5).ceil()),
            ("toward zero", |x| (x.abs() - 0.5).ceil().copysign(x)),
        ];
        forms
            .into_iter()
            .filter_map(|(form, round)| site.quotients(form, move |steps, z| round(steps) + z))
            .collect()
    },
};
