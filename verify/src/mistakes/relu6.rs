//! `relu6`.

use super::{Group, Mistake};
use crate::model::Step;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "relu6",
    group: Group::Layout,
    what: "the ReLU has an upper end: ReLU6",
    right: "I_(i+1) = pool(relu(O_i)), which has none (eq. 7)",
    shows: "in the codes after a ReLU",
    mend: "clamp above at the highest code only",
    source: "mobile networks' activations as a default",
    variants: |site| {
        let (Step::Relu { low }, Some(params)) = (site.step, site.model.nodes[site.node].params)
        else {
            return Vec::new();
        };
        let low = *low;
        let six = f64::from((6.0 / params.scale.get()).round_ties_even());
        let highest = f64::from(params.grid.high());
        [("6", low + six), ("the code 6", 6.0)]
            .into_iter()
            .filter(|&(_, high)| (low..highest).contains(&high))
            .map(|(form, high)| {
                site.followed(form, move |_, codes| Ok(codes.map(|code| code.min(high))))
            })
            .collect()
    },
};
