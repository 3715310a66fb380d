//! `flatten-transposed`.

use super::variant::relaid;
use super::{Group, Mistake};
use crate::model::Step;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "flatten-transposed",
    group: Group::Layout,
    what: "the feature map is flattened column by column",
    right: "flatten follows NCHW: channel, row, column",
    shows: "in the flattened codes",
    mend: "exchange rows and columns before flattening",
    source: "column-major writers",
    variants: |site| match site.step {
        Step::Flatten(_) => {
            let forms = [("CWH", [0, 1, 3, 2]), ("WHC", [0, 3, 2, 1])];
            forms
                .into_iter()
                .filter(|(_, axes)| axes[1] == 1 || site.input_shape()[1] > 1)
                .map(|(form, axes)| site.fed(form, move |map| relaid(map, &axes)))
                .collect()
        }
        _ => Vec::new(),
    },
};
