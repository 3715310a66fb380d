//! Ends of int32, clamp edges, multipliers of 1 and more, tiny and subnormal ones, shift limits.

use quant::contracts::identify::Observation;
use quant::contracts::{ALL, Channel, Clamp, ContractError, find};
use quant::scheme::Granularity;
use rstest::rstest;

fn code(name: &str, channel: &Channel, acc: i32) -> i32 {
    let contract = find(name).unwrap();
    contract.prepare(channel).unwrap().requantize(acc)
}

/// What a contract says to a multiplier: a code for each accumulator, or the kind of error.
fn verdict(name: &str, multiplier: f64) -> &'static str {
    let contract = find(name).unwrap();
    match contract.prepare(&Channel::of_multiplier(multiplier, 0)) {
        Ok(_) => "defined",
        Err(ContractError::MultiplierTooLarge { .. }) => "too large",
        Err(ContractError::MultiplierTooSmall { .. }) => "too small",
        Err(error) => panic!("{name}: {error}"),
    }
}

/// The published example of tensorflow issue 102943: the device said −120.
#[test]
fn the_example_of_tensorflow_issue_102943() {
    let channel = Channel::int8(
        0.052_961_245_179_176_33,
        0.024_093_778_803_944_588,
        0.114_843_279_123_306_27,
        -126,
    );
    let mut answers: Vec<(i32, &str)> = Vec::new();
    for contract in ALL {
        if let Ok(prepared) = contract.prepare(&channel) {
            answers.push((prepared.requantize(585), contract.name));
        }
    }
    let of = |code: i32| -> Vec<&str> {
        let named = answers.iter().filter(|(answer, _)| *answer == code);
        named.map(|(_, name)| *name).collect()
    };
    for name in [
        "litert-reference-conv",
        "tflite-micro",
        "cmsis-nn",
        "tosa-scale32-double",
        "cmsis-nn-single-rounding",
        "tosa-scale32-single",
    ] {
        assert!(of(-119).contains(&name), "{name}: {answers:?}");
    }
    // The float32 multiplier of XNNPACK, LiteRT's default, is one of them.
    let device = [
        "pytorch-fbgemm",
        "pytorch-x86-linear",
        "onnxruntime-qlinear",
        "litert-xnnpack",
        "pytorch-qnnpack",
        "pytorch-onednn-conv",
        "pytorch-x86-conv",
        "pytorch-onednn-linear",
        "pt2e-x86-inductor",
        "nntool-sq8-floor",
        "q16-rounded",
        "q16-floor",
    ];
    assert_eq!(of(-120), device);
    let observation = Observation::new(vec![channel], 1, vec![585], vec![-120]).unwrap();
    let named: Vec<&str> = (observation.identify().exact.iter())
        .map(|contract| contract.name)
        .collect();
    assert_eq!(named, device);
}

#[rstest]
#[case("pytorch-fbgemm", 128.0, "defined")]
#[case("pytorch-qnnpack", 128.0, "defined")]
#[case("onnxruntime-qlinear", 1e6, "defined")]
#[case("litert-xnnpack", 1e-40, "defined")]
#[case("pytorch-onednn-conv", 1e-36, "defined")]
#[case("pytorch-onednn-conv", 1e-40, "too small")]
#[case("float32-division", 1e-38, "defined")]
#[case("float32-division", 1e-44, "too large")]
#[case("litert-reference-conv", 1.0, "defined")]
#[case("litert-reference-conv", 536_870_912.0, "defined")]
#[case("litert-reference-conv", 1_073_741_824.0, "too large")]
#[case("litert-reference-conv", 1e-40, "defined")]
#[case("gemmlowp", 0.75, "defined")]
#[case("gemmlowp", 1.0, "too large")]
#[case("tosa-scale32-double", 268_435_456.0, "defined")]
#[case("tosa-scale32-double", 536_870_912.0, "too large")]
#[case("tosa-scale32-single", 536_870_912.0, "too large")]
#[case("cmsis-nn-single-rounding", 536_870_912.0, "defined")]
#[case("tosa-scale16", 4096.0, "defined")]
#[case("tosa-scale16", 8192.0, "too large")]
#[case("tosa-scale16", 3.6e-15, "defined")]
#[case("tosa-scale16", 3.5e-15, "too small")]
#[case("litert-reference-fc", 1e20, "defined")]
#[case("xnnpack-rndnu", 4_194_304.0, "defined")]
#[case("xnnpack-rndnu", 8_388_608.0, "too large")]
#[case("xnnpack-rndnu", 1e-40, "too small")]
#[case("nntool-sq8", 255.0, "defined")]
#[case("nntool-sq8", 256.0, "too large")]
#[case("nntool-sq8", 5e-8, "defined")]
#[case("nntool-sq8", 2e-8, "too small")]
#[case("q16-floor", 32767.0, "defined")]
#[case("q16-floor", 32768.0, "too large")]
#[case("q16-rounded", 1e-30, "defined")]
#[case("power-of-two-floor", 1.0, "defined")]
#[case("power-of-two-floor", 1.5, "too large")]
#[case("power-of-two-rounded", 4.6e-10, "defined")]
#[case("power-of-two-rounded", 3e-10, "too small")]
#[case("nemo", 63.0, "defined")]
#[case("nemo", 64.0, "too large")]
#[case("nemo", 1e-9, "too small")]
#[case("pulp-nn-quant", 64.0, "too large")]
fn a_multiplier_has_a_result_or_a_clear_error(
    #[case] name: &str,
    #[case] multiplier: f64,
    #[case] expected: &str,
) {
    assert_eq!(verdict(name, multiplier), expected);
}

#[test]
fn the_ends_of_int32_and_both_clamp_edges() {
    let mut checked = 0;
    for multiplier in [0.9, 0.5, 0.01, 1e-5, 2f64.powi(-20)] {
        for zero_point in [0, -128, 127, 5] {
            for clamp in [
                Clamp::INT8,
                Clamp {
                    low: zero_point,
                    high: 127,
                },
            ] {
                let channel = Channel {
                    clamp,
                    ..Channel::of_multiplier(multiplier, zero_point)
                };
                for contract in ALL {
                    let Ok(prepared) = contract.prepare(&channel) else {
                        continue;
                    };
                    let all = [i32::MIN, i32::MIN + 1, -1, 0, 1, i32::MAX - 1, i32::MAX];
                    for acc in all {
                        let code = prepared.requantize(acc);
                        assert!(
                            (clamp.low..=clamp.high).contains(&code),
                            "{contract:?} {multiplier} {acc}: {code}"
                        );
                    }
                    let domain = prepared.domain();
                    // What wraps within its domain wraps on purpose; Q16 has no small multipliers.
                    if !["nntool", "pulp", "q16"]
                        .iter()
                        .any(|name| contract.name.starts_with(name))
                    {
                        assert_eq!(
                            prepared.requantize(*domain.start()),
                            clamp.low,
                            "{contract:?}"
                        );
                        assert_eq!(
                            prepared.requantize(*domain.end()),
                            clamp.high,
                            "{contract:?}"
                        );
                    }
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 1000, "{checked}");
}

#[test]
fn what_wraps_wraps() {
    // (2000000·40) >> 8 = 312500 = 50356 less than 4·2^16: int16 makes it negative.
    let relu = Channel {
        clamp: Clamp::UINT8,
        ..Channel::of_multiplier(0.5, 0)
    };
    assert_eq!(code("nemo", &relu, 100_000), 255);
    assert_eq!(code("pulp-nn-bn-quant", &relu, 100_000), 255);
    assert_eq!(code("pulp-nn-quant", &relu, 100_000), 0);
    assert_eq!(code("pulp-nn-bn-quant", &relu, i32::MAX / 32 + 1), 0);
    // The left shift of an accumulator beyond its domain.
    let large = Channel::of_multiplier(4.0, 0);
    let prepared = find("tflite-micro").unwrap().prepare(&large).unwrap();
    assert_eq!(prepared.domain(), (i32::MIN >> 3)..=(i32::MAX >> 3));
    assert_eq!(prepared.requantize(1 << 28), -128);
    assert_eq!(code("tosa-scale32-double", &large, 1 << 28), 127);
    // 2^27 and more are beyond a shift of 28 bits.
    let tosa = find("tosa-scale32-single")
        .unwrap()
        .prepare(&large)
        .unwrap();
    assert_eq!(tosa.domain(), -(1 << 27)..=(1 << 27) - 1);
    // CMSIS-NN cuts twice the result to int32.
    let near_one = Channel::of_multiplier(0.75, 0);
    assert_eq!(code("cmsis-nn-single-rounding", &near_one, i32::MAX), -128);
    assert_eq!(code("tosa-scale32-single", &near_one, i32::MAX), 127);
}

#[test]
fn a_float_bias_enters_as_its_framework_adds_it() {
    let mut channel = Channel {
        bias: Some(0.5),
        ..Channel::int8(0.5, 0.25, 1.0, 0)
    };
    // 0.5 is 4 steps of the accumulator; (acc + 4)/8.
    for name in [
        "pytorch-fbgemm",
        "pytorch-qnnpack",
        "pytorch-onednn-conv",
        "pt2e-x86-inductor",
    ] {
        assert_eq!(code(name, &channel, 28), 4, "{name}");
        assert_eq!(code(name, &channel, 27), 4, "{name}");
    }
    for contract in ALL {
        let takes = ["pytorch", "pt2e", "fake"]
            .iter()
            .any(|name| contract.name.starts_with(name));
        let answer = contract.prepare(&channel);
        assert_eq!(answer.is_ok(), takes, "{contract:?}");
        assert!(takes || answer.unwrap_err() == ContractError::FloatBias);
    }
    // Not rounded to an integer: 0.3 of a step lifts a tie, and only where it is kept.
    channel.bias = Some(0.0375);
    assert_eq!(code("pytorch-fbgemm", &channel, 4), 1);
    assert_eq!(code("pytorch-qnnpack", &channel, 4), 0);
    channel.granularity = Granularity::PerChannel;
    assert_eq!(code("pytorch-fbgemm", &channel, 4), 1);
    channel.bias = Some(1e30);
    let qnnpack = find("pytorch-qnnpack").unwrap();
    assert_eq!(
        qnnpack.prepare(&channel).unwrap_err(),
        ContractError::BiasOverflow(1e30)
    );
    // cvtps2dq: beyond int32 is the lowest code, even on the positive side.
    assert_eq!(code("pytorch-fbgemm", &channel, 0), -128);
}

#[test]
fn a_fused_bias_is_not_an_added_one() {
    let per_tensor = Channel {
        bias: Some(0.1),
        ..Channel::int8(0.013, 0.0071, 0.05, 3)
    };
    let per_channel = Channel {
        granularity: Granularity::PerChannel,
        ..per_tensor
    };
    let fbgemm = find("pytorch-fbgemm").unwrap();
    let [fused, added] = [per_tensor, per_channel].map(|channel| fbgemm.prepare(&channel).unwrap());
    assert_eq!(fused.requantize(1000), added.requantize(1000));
    assert_eq!(
        fused.requantize(1000),
        3 + ((1000.0 + 0.1 / (0.013 * 0.0071)) * 0.013 * 0.0071 / 0.05f64).round() as i32
    );
}

#[test]
fn what_is_no_channel_is_an_error_of_every_contract() {
    let good = Channel::int8(0.1, 0.1, 0.5, 0);
    for contract in ALL {
        let error = |channel: Channel| contract.prepare(&channel).unwrap_err();
        for value in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-60, 1e60] {
            assert!(matches!(
                error(Channel {
                    input_scale: value,
                    ..good
                }),
                ContractError::Scale { which: "input", .. }
            ));
            assert!(matches!(
                error(Channel {
                    weight_scale: value,
                    ..good
                }),
                ContractError::Scale {
                    which: "weight",
                    ..
                }
            ));
            assert!(matches!(
                error(Channel {
                    output_scale: value,
                    ..good
                }),
                ContractError::Scale {
                    which: "output",
                    ..
                }
            ));
        }
        let clamp = Clamp { low: 5, high: 5 };
        assert_eq!(Channel { clamp, ..good }.check(), Ok(()));
        for (low, high) in [(1, 0), (-129, 0), (0, 256)] {
            let clamp = Clamp { low, high };
            assert_eq!(
                error(Channel { clamp, ..good }),
                ContractError::Clamp { low, high }
            );
        }
        for zero_point in [-129, 256] {
            let channel = Channel {
                output_zero_point: zero_point,
                ..good
            };
            assert_eq!(error(channel), ContractError::ZeroPoint(zero_point));
        }
        let channel = Channel {
            bias: Some(f32::INFINITY),
            ..good
        };
        assert_eq!(error(channel), ContractError::Bias(f32::INFINITY));
    }
    let shifted = Channel {
        output_zero_point: 3,
        ..good
    };
    for name in ["nemo", "pulp-nn-quant", "pulp-nn-bn-quant", "pulp-nn-shift"] {
        assert_eq!(
            find(name).unwrap().prepare(&shifted).unwrap_err(),
            ContractError::NoZeroPoint(3)
        );
    }
}

/// From a multiplier of 1 on a product can leave int32, which is then no longer defined.
#[rstest]
#[case("pytorch-fbgemm")]
#[case("pytorch-qnnpack")]
fn a_product_beyond_int32_is_outside_of_the_domain(#[case] name: &str) {
    let contract = find(name).unwrap();
    let domain = |multiplier, bias| {
        let channel = Channel {
            bias,
            ..Channel::of_multiplier(multiplier, 0)
        };
        contract.prepare(&channel).unwrap().domain()
    };
    assert_eq!(domain(0.5, None), i32::MIN..=i32::MAX);
    let four = domain(4.0, None);
    assert_eq!(*four.start(), -four.end());
    assert!(
        *four.end() < 1 << 29 && *four.end() > (1 << 29) - 1024,
        "{four:?}"
    );
    // A bias of 4,000 is a thousand steps of 4.
    assert_eq!(
        domain(4.0, Some(4000.0)),
        four.start() + 1000..=four.end() - 1000
    );
}
