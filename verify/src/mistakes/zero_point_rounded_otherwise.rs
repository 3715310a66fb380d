//! `zero-point-rounded-otherwise`.

use super::recipe::{Layers, Recipe, Targets};
use super::variant::{Form, Real};
use super::{Group, Mistake, Variant};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "zero-point-rounded-otherwise",
    group: Group::ZeroPoints,
    what: "the zero point is cut off or rounded down",
    right: "z = lowest − round(low/s), halves to even",
    shows: "in the input's codes, the accumulators of a layer, the codes that a layer's accumulators become, the codes after a ReLU",
    mend: "round the zero point to nearest",
    source: "onnxruntime and PyTorch differ here on ties",
    variants: |site| {
        let forms: [Form<Real>; 3] = [
            ("cut off", f64::trunc),
            ("floor", f64::floor),
            ("half away", f64::round),
        ];
        let input = Targets {
            input: true,
            weights: Layers::None,
            outputs: Layers::None,
        };
        let mut found: Vec<Variant> = Vec::new();
        for (form, zero_point) in forms {
            let recipe = Recipe {
                zero_point,
                ..Recipe::RIGHT
            };
            found.extend(site.outputs_by(&format!("outputs, {form}"), &recipe));
            found.extend(site.weights_by(&format!("weights, {form}"), &recipe));
            found.extend(site.made_by(&format!("input, {form}"), &recipe, &[("", input)]));
        }
        found
    },
};
