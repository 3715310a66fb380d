//! `bias-of-other-channel`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "bias-of-other-channel",
    group: Group::Scales,
    what: "each channel gets the bias of another",
    right: "output channel o has β_o (eq. 22)",
    shows: "in the accumulators of a layer",
    mend: "check the index into the bias: an offset by one, or one bias for all",
    source: "off-by-one errors in hand-written kernels",
    variants: |site| {
        let Some(sums) = site.accumulate() else {
            return Vec::new();
        };
        let (bias, last) = (&sums.bias, sums.bias.len().saturating_sub(1));
        let at = |o: Option<usize>| o.and_then(|o| bias.get(o)).copied();
        let forms = [
            site.bias_codes("the next, 0 for the last", |o, _| {
                at(Some(o + 1)).unwrap_or(0)
            }),
            site.bias_codes("the next, the first for the last", |o, _| {
                at(Some(o + 1)).unwrap_or(bias[0])
            }),
            site.bias_codes("the one before, 0 for the first", |o, _| {
                at(o.checked_sub(1)).unwrap_or(0)
            }),
            site.bias_codes("the one before, the last for the first", |o, _| {
                at(o.checked_sub(1)).unwrap_or(bias[last])
            }),
            site.bias_codes("the first for all", |_, _| bias[0]),
            site.bias_codes("in reverse order", |o, _| bias[last - o]),
        ];
        forms.into_iter().flatten().collect()
    },
};
