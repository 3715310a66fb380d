//! A contract that calls itself one multiplication and a shift is one.

use quant::contracts::{ALL, Channel, Clamp, MultiplyShift};

/// Which contracts have one, and the same codes as its formula for accumulators around every step
/// near the ends and the middle, and at the ends of int32.
#[test]
fn the_formula_gives_the_codes_of_the_contract() {
    let mut named = Vec::new();
    let mut compared = 0;
    for contract in ALL {
        for multiplier in [0.75, 0.01, 0.3e-3, 1.0 / 65536.0] {
            for (zero_point, clamp) in [(0, Clamp::INT8), (-7, Clamp::INT8), (131, Clamp::UINT8)] {
                let channel = Channel {
                    clamp,
                    ..Channel::of_multiplier(multiplier, zero_point)
                };
                let Ok(prepared) = contract.prepare(&channel) else {
                    continue;
                };
                let Some(MultiplyShift {
                    multiplier: m,
                    addend,
                    shift,
                }) = prepared.recipe().and_then(|recipe| recipe.multiply_shift())
                else {
                    continue;
                };
                if named.last() != Some(&contract.name) {
                    named.push(contract.name);
                }
                let steps = (-260..=260).map(|half| (f64::from(half) / 2.0 / multiplier) as i32);
                let around = steps.flat_map(|acc| (-2..=2).map(move |by| acc.saturating_add(by)));
                for acc in around.chain([i32::MIN, i32::MAX]) {
                    let steps = (i64::from(acc) * i64::from(m) + addend) >> shift;
                    let code =
                        (steps + i64::from(zero_point)).clamp(clamp.low.into(), clamp.high.into());
                    let ours = prepared.requantize(acc);
                    assert_eq!(
                        i64::from(ours),
                        code,
                        "{}, {multiplier}, {acc}",
                        contract.name
                    );
                    compared += 1;
                }
            }
        }
    }
    assert_eq!(
        named,
        [
            "tosa-scale32-single",
            "tosa-scale16",
            "xnnpack-rndnu",
            "q16-rounded",
            "q16-floor",
            "power-of-two-rounded",
            "power-of-two-floor",
            "pulp-nn-shift",
            "nemo"
        ]
    );
    assert!(compared > 100_000, "{compared}");
}
