//! `flatten-hwc`.

use super::{Group, Mistake, Variant};
use crate::model::{FlattenOrder, Step};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "flatten-hwc",
    group: Group::Layout,
    what: "the feature map is flattened with the channels fastest (HWC)",
    right: "flatten follows NCHW: channel, row, column, as the weights of the next layer expect",
    shows: "in the flattened codes",
    mend: "transpose to CHW before flattening, or permute the columns of the next layer's weights",
    source: "exporters that lay maps out channels-last",
    variants: |site| match site.step {
        Step::Flatten(FlattenOrder::Chw) if site.input_shape()[1] > 1 => {
            Variant::only(Step::Flatten(FlattenOrder::Hwc))
        }
        _ => Vec::new(),
    },
};
