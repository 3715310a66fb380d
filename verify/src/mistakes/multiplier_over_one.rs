//! `multiplier-over-one`.

use quant::contracts::Channel;

use super::variant::{saturate, wrap};
use super::{Group, Mistake};
use crate::model::Arithmetic;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "multiplier-over-one",
    group: Group::Rounding,
    what: "a multiplier of 1 and more is put in 31 fraction bits, which hold none",
    right: "M ≥ 1 needs an exponent: mantissa · 2^(e − 31), e > 0 (eq. 13)",
    shows: "in the codes that a layer's accumulators become",
    mend: "normalize the mantissa to [½, 1) and keep the exponent",
    source: "executorch PR19193",
    variants: |site| {
        let over = |channel: &Channel| channel.multiplier() >= 1.0;
        if !site
            .requantize()
            .is_some_and(|requantize| requantize.channels.iter().any(over))
        {
            return Vec::new();
        }
        let form = |form: &str, mantissa: fn(f64) -> i64| {
            let arithmetic = Arithmetic::other(move |channel, acc| {
                let mantissa = mantissa((channel.multiplier() * 2f64.powi(31)).round());
                let product = acc as i64 * mantissa + (1 << 30);
                (product >> 31) as f64 + f64::from(channel.output_zero_point)
            });
            site.computed(form, arithmetic)
        };
        let forms = [
            form("saturates", |mantissa| saturate(mantissa, 32)),
            form("wraps", |mantissa| wrap(mantissa as i64, 32)),
        ];
        forms.into_iter().flatten().collect()
    },
};
