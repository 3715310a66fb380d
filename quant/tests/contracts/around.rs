//! Channels and accumulators that contracts are tried on.

use quant::contracts::{Channel, Clamp};

/// Multipliers of several sizes with zero points at 0, below and above, each with its channel.
pub(crate) fn channels() -> impl Iterator<Item = (f64, Channel)> {
    let codes = [(0, Clamp::INT8), (-7, Clamp::INT8), (131, Clamp::UINT8)];
    let of = move |multiplier| {
        codes.map(|(zero_point, clamp)| {
            let channel = Channel {
                clamp,
                ..Channel::of_multiplier(multiplier, zero_point)
            };
            (multiplier, channel)
        })
    };
    [0.75, 0.01, 0.3e-3, 1.0 / 65536.0].into_iter().flat_map(of)
}

/// Those around every half step near the ends and the middle of the codes, and the ends of int32.
pub(crate) fn accumulators(multiplier: f64) -> impl Iterator<Item = i32> {
    let steps = (-530..=530).map(move |half| (f64::from(half) / 2.0 / multiplier) as i32);
    let around = steps.flat_map(|acc| (-2..=2).map(move |by| acc.saturating_add(by)));
    around.chain([i32::MIN, i32::MIN + 1, i32::MAX - 1, i32::MAX])
}
