//! `scale-divisor`.

use super::recipe::{Layers, Recipe, Targets};
use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "scale-divisor",
    group: Group::Scales,
    what: "a range is divided by another number of codes: 128, 127.5 or 255",
    right: "s = max|x|/127 (eq. 3, 10); asymmetric (max − min)/255",
    shows: "in the input's codes, the accumulators of a layer, the codes that a layer's accumulators become, the codes after a ReLU",
    mend: "agree on the divisor: it costs no accuracy, but bits",
    source: "every framework has its own",
    variants: |site| {
        let everywhere = Targets {
            input: true,
            weights: Layers::All,
            outputs: Layers::All,
        };
        let input = Targets {
            input: true,
            weights: Layers::None,
            outputs: Layers::None,
        };
        [
            ("128", 128.0, 256.0),
            ("127.5", 127.5, 255.0),
            ("255", 255.0, 254.0),
        ]
        .into_iter()
        .flat_map(|(divisor, one_side, steps)| {
            let recipe = Recipe {
                one_side,
                steps,
                ..Recipe::RIGHT
            };
            let mut found = site.weights_by(&format!("weights by {divisor}"), &recipe);
            found.extend(site.outputs_by(&format!("outputs by {divisor}"), &recipe));
            let rest = [("input", input), ("input, weights and outputs", everywhere)];
            found.extend(site.made_by(&format!("by {divisor}"), &recipe, &rest));
            found
        })
        .collect()
    },
};
