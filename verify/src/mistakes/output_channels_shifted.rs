//! `output-channels-shifted`.

use super::{Group, Mistake};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "output-channels-shifted",
    group: Group::Layout,
    what: "the filters of the output channels are one place off, or in reverse order",
    right: "row o of the weights makes output channel o",
    shows: "in the accumulators of a layer",
    mend: "check the index into the weights",
    source: "packed weights whose first panel is skipped",
    variants: |site| {
        let shifted = |form: &str, from: fn(usize, usize) -> usize| {
            site.weights_placed(form, move |shape, at| {
                let len = shape[1..].iter().product::<usize>();
                from(at / len, shape[0]) * len + at % len
            })
        };
        let forms = [
            shifted("the next", |o, outputs| (o + 1) % outputs),
            shifted("the one before", |o, outputs| (o + outputs - 1) % outputs),
            shifted("in reverse order", |o, outputs| outputs - 1 - o),
        ];
        forms.into_iter().flatten().collect()
    },
};
