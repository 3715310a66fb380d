//! `relu-leaky`.

use super::{Group, Mistake};
use crate::model::Step;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "relu-leaky",
    group: Group::Layout,
    what: "negative values are scaled down instead of cut off",
    right: "ReLU is max(z_O, q) (eq. 7, 22)",
    shows: "in the codes after a ReLU",
    mend: "use the activation of the network",
    source: "detectors whose activation is a default",
    variants: |site| {
        let low = match site.step {
            Step::Relu { low } if *low > f64::from(site.activation_grid().low()) => *low,
            _ => return Vec::new(),
        };
        [("0.01", 0.01), ("0.1", 0.1)]
            .into_iter()
            .map(|(form, slope)| {
                let leak = move |code: f64| match code < low {
                    true => ((code - low) * slope).round_ties_even() + low,
                    false => code,
                };
                site.followed(form, move |input, _| Ok(input.map(leak)))
            })
            .collect()
    },
};
