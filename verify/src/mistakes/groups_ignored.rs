//! `groups-ignored`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "groups-ignored",
    group: Group::Layout,
    what: "every group of output channels reads the first group's input channels",
    right: "group g of the outputs reads group g of the inputs",
    shows: "in the accumulators of a layer",
    mend: "add the group's first channel to the channel index",
    source: "depthwise layers run by kernels without groups",
    variants: |site| {
        let groups = site
            .accumulate()
            .and_then(|sums| sums.geometry)
            .map_or(1, |geometry| geometry.groups);
        if groups < 2 {
            return Vec::new();
        }
        vec![site.fed("", move |codes| {
            let (len, mut wrong) = (codes.item_len(), codes.clone());
            let group = len / groups;
            for image in wrong.data_mut().chunks_mut(len) {
                let (first, rest) = image.split_at_mut(group);
                rest.chunks_mut(group)
                    .for_each(|other| other.copy_from_slice(first));
            }
            Ok(wrong)
        })]
    },
};
