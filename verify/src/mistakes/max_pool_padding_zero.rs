//! `max-pool-padding-zero`.

use reference::PoolGeometry;

use super::variant::padded;
use super::{Group, Mistake, Variant};
use crate::model::{Function, Step};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "max-pool-padding-zero",
    group: Group::Layout,
    what: "the border of a max-pool takes part in the maximum, as the code 0",
    right: "padding takes no part in a maximum: it is −∞",
    shows: "in the codes after a pool",
    mend: "compare positions inside the image only, or fill with the lowest code",
    source: "pools that share the padding of convolutions",
    variants: |site| {
        let window = match site.step {
            Step::MaxPool(window) if window.padding != [0, 0] => *window,
            _ => return Vec::new(),
        };
        let z = site.model.nodes[site.node]
            .params
            .map_or(0, |params| params.zero_point);
        let mut codes = vec![("", 0)];
        if z != 0 {
            codes.push(("as the zero point", z));
        }
        codes.retain(|&(_, code)| code > site.activation_grid().low());
        codes
            .into_iter()
            .map(|(form, code)| {
                let bare = Step::MaxPool(PoolGeometry {
                    padding: [0, 0],
                    ..window
                });
                let function = Function::new(move |input| {
                    let [top, left] = window.padding;
                    let whole = [input.shape()[2] + 2 * top, input.shape()[3] + 2 * left];
                    bare.run(&padded(input, [top, left], whole, code.into())?)
                });
                Variant::named(form, Step::Other(function))
            })
            .collect()
    },
};
