//! `pair-saturation-i16`.

use super::{Group, Mistake};
use crate::model::Term;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "pair-saturation-i16",
    group: Group::Range,
    what: "two neighbouring products are added in 16 bits, which saturate: u8·s8 multiply-add without VNNI",
    right: "accumulators are int32 (eq. 14)",
    shows: "in the accumulators of a layer",
    mend: "use VNNI, keep weights in 7 bits (reduce_range), or widen before adding",
    source: "onnxruntime PR24220: wrong on AVX2, right on VNNI",
    variants: |site| {
        let low = i64::from(site.activation_grid().low());
        // Weights of a uint8 grid are made int8 by an offset of 128.
        let middle = if site.weight_grid().signed { 0 } else { 128 };
        let raw =
            move |term: &Term| (i64::from(term.input) - low) * (i64::from(term.weight) - middle);
        let mut found = Vec::new();
        for (order, taps) in site.tap_orders() {
            let sum = move |terms: &[Term], bias: i64| {
                let exact = terms.iter().map(Term::product).sum::<i64>() + bias;
                let lost = taps.chunks(2).map(|pair| {
                    let sum = pair.iter().map(|&tap| raw(&terms[tap])).sum::<i64>();
                    sum.clamp(i16::MIN.into(), i16::MAX.into()) - sum
                });
                exact + lost.sum::<i64>()
            };
            found.extend(site.summing(order, sum));
        }
        found
    },
};
