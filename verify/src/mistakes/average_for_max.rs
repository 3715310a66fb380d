//! `average-for-max`.

use quant::Rounding;
use reference::ops::AveragePoolGeometry;

use super::{Group, Mistake, Variant};
use crate::model::{AveragePool, MeanRounding, Step};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "average-for-max",
    group: Group::Layout,
    what: "the pool takes the mean of the window",
    right: "the network's pool takes the maximum (eq. 7)",
    shows: "in the codes after a pool",
    mend: "use max pooling",
    source: "pools whose kind is a default",
    variants: |site| {
        let Step::MaxPool(window) = site.step else {
            return Vec::new();
        };
        let z = site.model.nodes[site.node]
            .params
            .map_or(0, |params| params.zero_point);
        let forms = [
            ("rounded", Rounding::TiesToEven),
            ("rounded down", Rounding::Floor),
            ("half up", Rounding::HalfUp),
        ];
        forms
            .into_iter()
            .map(|(form, rule)| {
                let geometry = AveragePoolGeometry {
                    window: *window,
                    count_include_pad: true,
                };
                let pool = AveragePool {
                    geometry,
                    zero_point: z.into(),
                    rounding: MeanRounding::Rule(rule),
                };
                Variant::named(form, Step::AveragePool(pool))
            })
            .collect()
    },
};
