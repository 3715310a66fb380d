//! `minus-128`.

use super::{Group, Mistake, Variant};
use crate::model::Term;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "minus-128",
    group: Group::Range,
    what: "−128 is negated or squared in a type that holds no 128",
    right: "−(−128) is 128, and 2·(−128)² is 32768: both one more than the type holds",
    shows: "in the accumulators of a layer",
    mend: "widen before negating; keep weights within [−127, 127]",
    source: "onnxruntime#31573",
    variants: |site| {
        if !site.activation_grid().signed {
            return Vec::new();
        }
        // |w| · sign(w)·q, as vpsignb makes it: of q = −128 and w < 0 the negation stays −128.
        let signed = |negated: i64| {
            move |terms: &[Term], bias: i64| {
                let exact = terms.iter().map(Term::product).sum::<i64>() + bias;
                let wrong = terms
                    .iter()
                    .filter(|term| term.input == -128 && term.weight < 0);
                exact
                    + wrong
                        .map(|term| i64::from(term.weight.abs()) * (negated - 128))
                        .sum::<i64>()
            }
        };
        let mut found: Vec<Variant> = Vec::new();
        found.extend(site.summing("−(−128) stays −128", signed(-128)));
        found.extend(site.summing("−(−128) is 127", signed(127)));
        for (order, taps) in site.tap_orders() {
            // The one pair of products that int16 does not hold.
            let sum = move |terms: &[Term], bias: i64| {
                let exact = terms.iter().map(Term::product).sum::<i64>() + bias;
                let pairs = taps.chunks(2).filter(|pair| {
                    pair.len() == 2
                        && pair
                            .iter()
                            .all(|&tap| terms[tap].input == -128 && terms[tap].weight == -128)
                });
                exact - 65536 * pairs.count() as i64
            };
            if site
                .accumulate()
                .is_some_and(|sums| sums.weight.data().contains(&-128))
            {
                found.extend(site.summing(&format!("(−128)²·2 in int16, {order}"), sum));
            }
        }
        found.extend(site.sums("weights of −128 clipped to −127", |sums| {
            if sums.weight.data().iter().all(|&code| code < 128) {
                sums.weight = sums.weight.map(|code| code.max(-127));
            }
        }));
        found
    },
};
