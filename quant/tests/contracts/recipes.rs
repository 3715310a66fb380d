//! Every contract says what it computes, unless it adds a float; and what it says is what it does.

use quant::Rounding;
use quant::contracts::{ALL, Channel, Recipe, Steps};

use crate::contracts::around::{accumulators, channels};

#[test]
fn every_contract_has_a_recipe_but_for_a_float_bias() {
    let channel = Channel::int8(0.75, 0.007, 0.5, 0);
    let mut with_bias = 0;
    for contract in ALL {
        let prepared = contract.prepare(&channel).unwrap();
        let recipe = prepared.recipe().unwrap();
        assert_eq!(recipe.clamp, channel.clamp, "{}", contract.name);
        assert_eq!(recipe.zero_point, 0, "{}", contract.name);
        let biased = Channel {
            bias: Some(0.5),
            ..channel
        };
        if let Ok(prepared) = contract.prepare(&biased) {
            assert_eq!(prepared.recipe(), None, "{}", contract.name);
            with_bias += 1;
        }
    }
    assert_eq!((ALL.len(), with_bias), (34, 9));
}

/// As the documentation of [`Steps`] says it, in integers that nothing overflows.
fn code(recipe: &Recipe, acc: i32) -> i32 {
    let a = i128::from(acc);
    let z = i128::from(recipe.zero_point);
    let int32 = |x: i128| i128::from(x as u32 as i32);
    let even = |x: f32| f64::from(x).round_ties_even() as i128;
    let shifted = |x: i128, s: u32, rounding: Rounding| {
        let half = (1i128 << s) / 2;
        match rounding {
            Rounding::HalfUp => (x + half) >> s,
            Rounding::Floor => x >> s,
            Rounding::TiesAwayFromZero => x.signum() * ((x.abs() + half) >> s),
            other => panic!("no contract shifts {other:?}"),
        }
    };
    let y = match recipe.steps {
        Steps::Multiply { multiplier } => even(acc as f32 * multiplier),
        Steps::MultiplySaturated { multiplier } => {
            let y = even(acc as f32 * multiplier);
            let held = i128::from(i32::MIN)..=i128::from(i32::MAX);
            let y = if held.contains(&y) { y } else { *held.start() };
            y.clamp(i16::MIN.into(), i16::MAX.into())
        }
        Steps::MultiplyTwice {
            multipliers: [m, n],
        } => even((acc as f32 * m) * n),
        Steps::MultiplyThenShift {
            multipliers: [l, m, n],
        } => even(((acc as f32 * l) * m) * n + recipe.zero_point as f32) - z,
        Steps::Divide { divisor } => even(acc as f32 / divisor),
        Steps::MultiplyDouble {
            multiplier,
            rounding,
        } => {
            let y = f64::from(acc) * multiplier;
            match rounding {
                Rounding::TiesToEven => y.round_ties_even() as i128,
                Rounding::TiesAwayFromZero => y.round() as i128,
                other => panic!("no contract rounds {other:?}"),
            }
        }
        Steps::Scale {
            multiplier,
            shift,
            rounding,
        } => shifted(a * i128::from(multiplier), shift, rounding),
        Steps::HighProduct {
            mantissa,
            left,
            right,
            rounding,
        } => {
            let product = int32(a << left) * i128::from(mantissa);
            let high = shifted(product, 31, Rounding::HalfUp).min(i32::MAX.into());
            shifted(high, right, rounding)
        }
        Steps::ScaleTwice { mantissa, shift } => {
            let second = match (shift <= 31, acc < 0) {
                (true, _) => 0,
                (false, true) => -(1i128 << 30),
                (false, false) => 1 << 30,
            };
            (a * i128::from(mantissa) + (1 << (shift - 1)) + second) >> shift
        }
        Steps::ScaleThenHalve { mantissa, shift } => {
            int32(int32((a * i128::from(mantissa)) >> shift) + 1) >> 1
        }
        Steps::Wrapping {
            offset,
            multiplier,
            half,
            shift,
            bits,
        } => {
            let product = int32(int32(a + i128::from(offset)) * i128::from(multiplier));
            let y = int32(product + i128::from(half)) >> shift;
            match bits {
                16 => i128::from(y as i16),
                _ => y,
            }
        }
    };
    (y + z).clamp(recipe.clamp.low.into(), recipe.clamp.high.into()) as i32
}

#[test]
fn what_a_recipe_says_is_what_the_contract_does() {
    for contract in ALL {
        let mut compared = 0;
        for (multiplier, channel) in channels() {
            let Ok(prepared) = contract.prepare(&channel) else {
                continue;
            };
            let recipe = prepared.recipe().unwrap();
            let defined = prepared.domain();
            for acc in accumulators(multiplier).filter(|acc| defined.contains(acc)) {
                let (said, done) = (code(&recipe, acc), prepared.requantize(acc));
                assert_eq!(said, done, "{}, {channel:?}, {acc}", contract.name);
                compared += 1;
            }
        }
        assert!(compared > 5000, "{}: {compared}", contract.name);
    }
}
