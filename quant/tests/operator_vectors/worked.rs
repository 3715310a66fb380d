//! Worked examples, one table for each operator, and what is refused.

use quant::contracts::operators::add::Addition;
use quant::contracts::operators::average_pool::Pooling;
use quant::contracts::operators::quantize::Target;
use quant::contracts::operators::{Grid, add, average_pool, quantize};
use quant::contracts::{Clamp, ContractError};
use rstest::rstest;

fn grid(scale: f64, zero_point: i32) -> Grid {
    Grid { scale, zero_point }
}

fn target(scale: f64, zero_point: i32) -> Target {
    Target {
        grid: grid(scale, zero_point),
        clamp: Clamp::INT8,
    }
}

/// The code of `real` by each contract, in this order: fused, added in float, reciprocal,
/// divided, divided away, in float64 away.
fn quantized(real: f32, target: &Target) -> [i32; 6] {
    [
        quantize::TORCH_PER_TENSOR,
        quantize::TORCH_PER_CHANNEL,
        quantize::TORCH_FAKE,
        quantize::ORT,
        quantize::LITERT_REFERENCE,
        quantize::LITERT_OPTIMIZED_TAIL,
    ]
    .map(|contract| contract.prepare(target).unwrap().quantize(real))
}

#[rstest]
// A tie, 0.5 steps: to even before an odd zero point is 0 + 3, after it 3.5 becomes 4.
#[case(0.25, 0.5, 3, [4, 4, 3, 3, 4, 4])]
#[case(0.75, 0.5, 3, [4, 4, 5, 5, 5, 5])]
#[case(-0.25, 0.5, 3, [2, 2, 3, 3, 2, 2])]
#[case(-0.75, 0.5, 3, [2, 2, 1, 1, 1, 1])]
// Even zero points cannot tell the order.
#[case(0.25, 0.5, 4, [4, 4, 4, 4, 5, 5])]
// 41 · f32(1/41) is below 1: 3.5 · 41 is a tie only to those who divide.
#[case(143.5, 41.0, 0, [3, 3, 3, 4, 4, 4])]
// 0.5 · 41 as well, but beside a zero point float32 cannot tell; no tie and a tie give 0.
#[case(20.5, 41.0, 1, [2, 2, 1, 1, 2, 2])]
// Both ends of the clamp.
#[case(1e9, 0.5, 3, [127; 6])]
#[case(-1e9, 0.5, 3, [-128; 6])]
fn a_value_becomes_a_code(
    #[case] real: f32,
    #[case] scale: f64,
    #[case] zero_point: i32,
    #[case] expected: [i32; 6],
) {
    assert_eq!(quantized(real, &target(scale, zero_point)), expected);
}

#[test]
fn the_float64_reciprocal_is_another_for_a_float64_scale() {
    // f32(1/0.03) = 33.333332, f32(1/F(0.03)) = 33.333336: beyond a tie to the second alone.
    let target = target(0.03, 0);
    let codes = [quantize::PT2E_DECOMPOSED, quantize::TORCH_FAKE]
        .map(|contract| contract.prepare(&target).unwrap().quantize(0.075));
    assert_eq!(codes, [2, 3]);
}

#[test]
fn an_int32_conversion_has_an_end_and_a_clamp_of_floats_has_none() {
    let target = target(0.5, 3);
    for contract in quantize::ALL {
        let made = contract.prepare(&target).unwrap();
        let saturates = matches!(
            contract.name,
            "pytorch-quantize-per-tensor"
                | "pytorch-quantize-per-channel"
                | "pt2e-decomposed-quantize"
                | "onnxruntime-quantize-linear"
                | "litert-quantize-xnnpack"
        );
        let largest = if saturates {
            f32::INFINITY
        } else {
            2f32.powi(29)
        };
        assert_eq!(made.largest(), largest, "{contract:?}");
        assert_eq!(
            (made.quantize(largest), made.quantize(-largest)),
            (127, -128)
        );
        // No contract, and no panic.
        made.quantize(f32::NAN);
        made.quantize(f32::INFINITY);
    }
}

/// The sum of two codes by each contract, in this order: torch's block and tail, qnnpack,
/// XNNPACK, LiteRT, ONNX Runtime.
fn added(first: i32, second: i32, addition: &Addition) -> [i32; 6] {
    [
        add::TORCH_BLOCK_OF_64,
        add::TORCH_TAIL,
        add::QNNPACK,
        add::XNNPACK,
        add::LITERT,
        add::ORT,
    ]
    .map(|contract| contract.prepare(addition).unwrap().add(first, second))
}

fn addition(scales: [f64; 3], zero_points: [i32; 3]) -> Addition {
    Addition {
        first: grid(scales[0], zero_points[0]),
        second: grid(scales[1], zero_points[1]),
        output: grid(scales[2], zero_points[2]),
        clamp: Clamp::INT8,
    }
}

#[rstest]
// (1 + 0)/4 of steps of 1/2 is a tie: even before the zero point, even after it, away, up.
#[case(1, 0, [0, 0, 0], [0, 0, 1, 1, 1, 0])]
#[case(-1, 0, [0, 0, 0], [0, 0, -1, 0, -1, 0])]
#[case(1, 0, [0, 0, 3], [3, 4, 4, 4, 4, 4])]
#[case(-1, 0, [0, 0, 3], [3, 2, 2, 3, 2, 2])]
#[case(3, 0, [0, 0, 3], [5, 4, 5, 5, 5, 4])]
// Zero points of the inputs are taken off first.
#[case(4, 5, [3, 5, 7], [7, 8, 8, 8, 8, 8])]
#[case(2, 5, [3, 5, 7], [7, 6, 6, 7, 6, 6])]
#[case(127, 127, [-128, -128, 0], [127; 6])]
#[case(-128, -128, [127, 127, 0], [-128; 6])]
fn two_codes_become_one(
    #[case] first: i32,
    #[case] second: i32,
    #[case] zero_points: [i32; 3],
    #[case] expected: [i32; 6],
) {
    let addition = addition([0.25, 0.25, 0.5], zero_points);
    assert_eq!(added(first, second, &addition), expected);
}

#[test]
fn a_relu_clamps_at_the_zero_point() {
    let mut addition = addition([0.25, 0.25, 0.5], [0, 0, 3]);
    addition.clamp.low = 3;
    assert_eq!(added(-100, 0, &addition), [3; 6]);
}

fn pooling(zero_point: i32, terms: u32) -> Pooling {
    Pooling {
        input: grid(0.5, zero_point),
        output: grid(0.5, zero_point),
        terms,
        window: terms,
        padding_counts: true,
        clamp: Clamp::INT8,
    }
}

/// The mean by each contract, in this order: torch's block, its other channels, adaptive
/// block, qnnpack, ONNX Runtime's global and other, LiteRT.
fn averaged(codes: &[i32], pooling: &Pooling) -> [i32; 7] {
    [
        average_pool::TORCH_BLOCK_OF_16,
        average_pool::TORCH,
        average_pool::TORCH_ADAPTIVE_BLOCK,
        average_pool::QNNPACK,
        average_pool::ORT_GLOBAL,
        average_pool::ORT,
        average_pool::LITERT,
    ]
    .map(|contract| contract.prepare(pooling).unwrap().average(codes))
}

#[rstest]
// 1.5 steps above the zero point: a tie, which an odd one turns.
#[case(&[2, 1], 0, [2, 2, 2, 2, 2, 2, 2])]
#[case(&[5, 4], 3, [5, 4, 4, 5, 5, 4, 5])]
#[case(&[1, 0], 3, [1, 0, 0, 1, 1, 0, 1])]
#[case(&[0, -1], 3, [-1, 0, 0, -1, -1, 0, -1])]
// LiteRT's goes away from the code 0, wherever the real 0 is.
#[case(&[1, 0], 0, [0, 0, 0, 0, 0, 0, 1])]
#[case(&[0, -1], 0, [0, 0, 0, 0, 0, 0, -1])]
// Thirds: an fma keeps the digits that a rounded product loses, none of which is a tie.
#[case(&[1, 0, 0], 0, [0; 7])]
#[case(&[-128; 9], -5, [-128; 7])]
#[case(&[127; 9], -5, [127; 7])]
fn codes_become_their_mean(
    #[case] codes: &[i32],
    #[case] zero_point: i32,
    #[case] expected: [i32; 7],
) {
    let pooling = pooling(zero_point, codes.len() as u32);
    assert_eq!(averaged(codes, &pooling), expected);
}

#[test]
fn padding_counts_where_the_library_lets_it() {
    // 4 codes of 90 above a zero point of 1, on a window of 9.
    let codes = [91; 4];
    let mut pooling = Pooling {
        window: 9,
        ..pooling(1, 4)
    };
    let of = |contract: &average_pool::AveragePoolContract, pooling: &Pooling| {
        let made = contract
            .prepare(pooling)
            .map_err(|error| error.to_string())?;
        Ok::<_, String>(made.average(&codes))
    };
    assert_eq!(of(&average_pool::TORCH, &pooling), Ok(41));
    assert_eq!(of(&average_pool::QNNPACK, &pooling), Ok(41));
    assert!(of(&average_pool::LITERT, &pooling).is_err());
    assert!(of(&average_pool::ORT_GLOBAL, &pooling).is_err());
    pooling.padding_counts = false;
    assert_eq!(of(&average_pool::TORCH, &pooling), Ok(91));
    assert_eq!(of(&average_pool::QNNPACK, &pooling), Ok(41));
    assert_eq!(of(&average_pool::LITERT, &pooling), Ok(91));
    assert_eq!(of(&average_pool::ORT, &pooling), Ok(91));
}

#[rstest]
#[case(0.0, 0)]
#[case(-1.0, 0)]
#[case(f64::NAN, 0)]
#[case(f64::INFINITY, 0)]
#[case(1e-60, 0)]
#[case(1e60, 0)]
#[case(1.0, 256)]
#[case(1.0, -129)]
#[case(1.0, i32::MIN)]
fn no_contract_takes_a_grid_that_is_none(#[case] scale: f64, #[case] zero_point: i32) {
    let (bad, good) = (grid(scale, zero_point), grid(0.5, 0));
    let refused = |error: ContractError| {
        matches!(
            error,
            ContractError::Scale { .. } | ContractError::ZeroPoint(_)
        )
    };
    let mut checked = 0;
    for contract in quantize::ALL {
        let target = target(scale, zero_point);
        assert!(
            refused(contract.prepare(&target).unwrap_err()),
            "{contract:?}"
        );
        checked += 1;
    }
    for contract in add::ALL {
        for at in 0..3 {
            let mut grids = [good; 3];
            grids[at] = bad;
            let [first, second, output] = grids;
            let addition = Addition {
                first,
                second,
                output,
                clamp: Clamp::INT8,
            };
            assert!(
                refused(contract.prepare(&addition).unwrap_err()),
                "{contract:?}"
            );
            checked += 1;
        }
    }
    for contract in average_pool::ALL {
        for (input, output) in [(bad, good), (good, bad)] {
            let pooling = Pooling {
                input,
                output,
                ..pooling(0, 4)
            };
            assert!(
                refused(contract.prepare(&pooling).unwrap_err()),
                "{contract:?}"
            );
            checked += 1;
        }
    }
    assert_eq!(checked, 10 + 7 * 3 + 8 * 2);
}

#[test]
fn what_a_contract_has_no_numbers_for_is_an_error() {
    let inverted = Clamp { low: 1, high: 0 };
    for clamp in [
        inverted,
        Clamp { low: -129, high: 0 },
        Clamp { low: 0, high: 256 },
    ] {
        let Clamp { low, high } = clamp;
        let expected = ContractError::Clamp { low, high };
        let target = Target {
            clamp,
            ..target(1.0, 0)
        };
        assert_eq!(quantize::ORT.prepare(&target).unwrap_err(), expected);
        let addition = Addition {
            clamp,
            ..addition([1.0; 3], [0; 3])
        };
        assert_eq!(add::ORT.prepare(&addition).unwrap_err(), expected);
        let pooling = Pooling {
            clamp,
            ..pooling(0, 4)
        };
        assert_eq!(average_pool::ORT.prepare(&pooling).unwrap_err(), expected);
    }
    // Windows without codes, with more codes than places, and beyond float32's integers.
    for (terms, window) in [(0, 0), (0, 4), (5, 4), (4, 65_537), (u32::MAX, u32::MAX)] {
        let pooling = Pooling {
            terms,
            window,
            ..pooling(0, 4)
        };
        let error = average_pool::TORCH.prepare(&pooling).unwrap_err();
        assert!(matches!(error, ContractError::Window { .. }), "{error}");
    }
    // The mean of most libraries is on the grid of the codes.
    let pooling = Pooling {
        output: grid(0.25, 0),
        ..pooling(0, 4)
    };
    for contract in average_pool::ALL {
        let rescales = contract.name.starts_with("onnxruntime");
        match contract.prepare(&pooling) {
            Ok(_) => assert!(rescales, "{contract:?}"),
            Err(error) => assert_eq!((error, rescales), (ContractError::Rescaled, false)),
        }
    }
    // Ratios that the fixed-point multipliers do not reach.
    let of = |contract: add::AddContract, first: f64, second: f64| {
        contract
            .prepare(&addition([first, second, 1.0], [0; 3]))
            .err()
    };
    let large = |error| matches!(error, Some(ContractError::MultiplierTooLarge { .. }));
    let small = |error| matches!(error, Some(ContractError::MultiplierTooSmall { .. }));
    for contract in [add::QNNPACK, add::XNNPACK] {
        assert!(large(of(contract, 256.0, 1.0)) && large(of(contract, 1.0, 256.0)));
    }
    assert_eq!(of(add::QNNPACK, 255.0, 2f64.powi(-14)), None);
    assert!(small(of(add::QNNPACK, 1.0, 2f64.powi(-15))));
    assert_eq!(of(add::XNNPACK, 255.0, 2f64.powi(-10)), None);
    assert!(small(of(add::XNNPACK, 2f64.powi(-11), 1.0)));
    assert_eq!(of(add::LITERT, 2f64.powi(18), 1.0), None);
    assert!(large(of(add::LITERT, 2f64.powi(19), 1.0)));
    // Reciprocals and ratios that float32 does not hold.
    let tiny = target(1e-45, 0);
    assert!(quantize::TORCH_PER_TENSOR.prepare(&tiny).is_err());
    assert!(quantize::PT2E_DECOMPOSED.prepare(&tiny).is_err());
    assert!(quantize::ORT.prepare(&tiny).is_ok());
    assert!(
        add::ORT
            .prepare(&addition([1e30, 1.0, 1e-30], [0; 3]))
            .is_err()
    );
    assert!(
        add::TORCH_TAIL
            .prepare(&addition([1.0, 1.0, 1e-45], [0; 3]))
            .is_err()
    );
}

#[test]
fn integers_that_are_no_codes_do_not_panic() {
    let ends = [i32::MIN, -129, 256, i32::MAX];
    let addition = addition([0.25, 0.5, 1.0], [-128, 255, 3]);
    let mut tried = 0;
    for contract in add::ALL {
        let made = contract.prepare(&addition).unwrap();
        for (first, second) in ends.iter().flat_map(|a| ends.map(|b| (*a, b))) {
            assert!(
                (-128..=127).contains(&made.add(first, second)),
                "{contract:?}"
            );
            tried += 1;
        }
    }
    for contract in average_pool::ALL {
        let made = contract.prepare(&pooling(-128, 4)).unwrap();
        for code in ends {
            assert!(
                (-128..=127).contains(&made.average(&[code; 4])),
                "{contract:?}"
            );
            tried += 1;
        }
        made.average(&[]);
    }
    assert_eq!(tried, 7 * 16 + 8 * 4);
}
