//! A contract that calls itself one multiplication and a shift is one.

use quant::contracts::{ALL, MultiplyShift};

use crate::contracts::around::{accumulators, channels};

/// Which contracts have one, and the same codes as its formula for accumulators around every step
/// near the ends and the middle, and at the ends of int32.
#[test]
fn the_formula_gives_the_codes_of_the_contract() {
    let mut named = Vec::new();
    let mut compared = 0;
    for contract in ALL {
        for (multiplier, channel) in channels() {
            let Ok(prepared) = contract.prepare(&channel) else {
                continue;
            };
            let recipe = prepared.recipe();
            let Some(MultiplyShift {
                multiplier: m,
                addend,
                shift,
            }) = recipe.and_then(|recipe| recipe.multiply_shift())
            else {
                continue;
            };
            if named.last() != Some(&contract.name) {
                named.push(contract.name);
            }
            let (clamp, z) = (channel.clamp, channel.output_zero_point);
            for acc in accumulators(multiplier) {
                let steps = (i64::from(acc) * i64::from(m) + addend) >> shift;
                let code = (steps + i64::from(z)).clamp(clamp.low.into(), clamp.high.into());
                let ours = i64::from(prepared.requantize(acc));
                assert_eq!(ours, code, "{}, {multiplier}, {acc}", contract.name);
                compared += 1;
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
