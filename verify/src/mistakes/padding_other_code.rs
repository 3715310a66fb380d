//! `padding-other-code`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "padding-other-code",
    group: Group::ZeroPoints,
    what: "the border is filled with a code that is neither 0 nor the zero point",
    right: "padded positions hold the input's zero point (eq. 22)",
    shows: "in the accumulators of a layer",
    mend: "fill the padding with z_I",
    source: "fills with −z, with the lowest code, or with the output's zero point",
    variants: |site| {
        let Some(sums) = site.accumulate().filter(|sums| sums.is_padded()) else {
            return Vec::new();
        };
        let z = sums.input_zero_point;
        let grid = site.activation_grid();
        let output = site.origin().map_or(z, |origin| origin.params.zero_point);
        [
            ("−z_I", -z),
            ("z_O", output),
            ("the lowest code", grid.low()),
            ("the highest code", grid.high()),
        ]
        .into_iter()
        .filter(|&(_, code)| code != 0 && code != z)
        .filter_map(|(form, code)| site.sums(form, |sums| sums.padding = code))
        .collect()
    },
};
