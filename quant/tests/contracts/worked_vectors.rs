//! The worked vectors of the arithmetic, one table after the other: T1 to T6.

// A row is a vector as it is written down: as many columns, the same digits.
#![allow(clippy::too_many_arguments, clippy::approx_constant)]

use quant::Rounding;
use quant::contracts::arithmetic::q31::Multiplier;
use quant::contracts::nemo::{pulp_nn_bn_quant, pulp_nn_quant};
use quant::contracts::sq8::Sq8Scale;
use quant::contracts::tosa_scale16::rescale;
use quant::contracts::{Channel, find};
use rstest::rstest;

/// The codes of a contract by its name.
fn code(name: &str, channel: &Channel, acc: i32) -> i32 {
    let contract = find(name).unwrap();
    contract.prepare(channel).unwrap().requantize(acc)
}

#[rstest]
#[case(1, 1073741824, 0, 1, 1, 1, 1, 0)]
#[case(-1, 1073741824, 0, 0, 0, 0, -1, 0)]
#[case(3, 1073741824, 0, 2, 2, 2, 2, 2)]
#[case(-3, 1073741824, 0, -1, -1, -1, -2, -2)]
#[case(5, 1073741824, -1, 2, 2, 1, 1, 1)]
#[case(-5, 1073741824, -1, -1, -1, -1, -1, -1)]
#[case(6, 1073741824, -1, 2, 2, 2, 2, 2)]
#[case(-6, 1073741824, -1, -2, -1, -1, -2, -2)]
#[case(7, 1073741824, -1, 2, 2, 2, 2, 2)]
#[case(-7, 1073741824, -1, -2, -1, -2, -2, -2)]
#[case(2, 1073741824, -1, 1, 1, 1, 1, 0)]
#[case(-2, 1073741824, -1, -1, 0, 0, -1, 0)]
#[case(10, 1073741824, -2, 1, 1, 1, 1, 1)]
#[case(-10, 1073741824, -2, -1, -1, -1, -1, -1)]
#[case(12, 1073741824, -2, 2, 2, 2, 2, 2)]
#[case(-12, 1073741824, -2, -2, -1, -1, -2, -2)]
#[case(-4, 1073741824, -2, -1, 0, 0, -1, 0)]
#[case(-20, 1073741824, -2, -3, -2, -2, -3, -2)]
#[case(11, 1073741824, -2, 2, 2, 1, 1, 1)]
#[case(-11, 1073741824, -2, -1, -1, -1, -1, -1)]
#[case(23, 1073741824, -3, 2, 2, 1, 1, 1)]
#[case(-23, 1073741824, -3, -1, -1, -1, -1, -1)]
#[case(24, 1073741824, -3, 2, 2, 2, 2, 2)]
#[case(-24, 1073741824, -3, -2, -1, -1, -2, -2)]
#[case(1000, 1717986918, -4, 50, 50, 50, 50, 50)]
#[case(-1000, 1717986918, -4, -50, -50, -50, -50, -50)]
#[case(12345, 1431655765, -7, 64, 64, 64, 64, 64)]
#[case(-12345, 1431655765, -7, -64, -64, -64, -64, -64)]
#[case(100000, 1288490189, -9, 117, 117, 117, 117, 117)]
#[case(-100000, 1288490189, -9, -117, -117, -117, -117, -117)]
#[case(255, 1610612736, -5, 6, 6, 6, 6, 6)]
#[case(-255, 1610612736, -5, -6, -6, -6, -6, -6)]
#[case(85, 1610612736, -6, 1, 1, 1, 1, 1)]
#[case(-85, 1610612736, -6, -1, -1, -1, -1, -1)]
#[case(3, 1610612736, 1, 5, 5, 5, 5, 4)]
#[case(-3, 1610612736, 1, -4, -4, -4, -5, -4)]
#[case(2147483647, 1073741824, -22, 256, 256, 256, 256, 256)]
#[case(-2147483648, 1073741824, -22, -256, -256, -256, -256, -256)]
#[case(383, 1431655766, -1, 128, 128, 128, 128, 128)]
#[case(-383, 1431655766, -1, -128, -127, -128, -128, -128)]
fn t1_the_q31_family(
    #[case] acc: i32,
    #[case] mantissa_q31: i32,
    #[case] exponent: i32,
    #[case] double: i64,
    #[case] up_up: i64,
    #[case] single: i64,
    #[case] away: i64,
    #[case] even: i64,
) {
    let multiplier = Multiplier {
        mantissa_q31,
        exponent,
    };
    assert_eq!(multiplier.double(acc), double);
    assert_eq!(multiplier.up_up(acc), up_up);
    assert_eq!(multiplier.single(acc), single);
    let real = f64::from(mantissa_q31) * 2f64.powi(exponent - 31);
    let exact = f64::from(acc) * real;
    assert_eq!(Rounding::TiesAwayFromZero.round(exact), away as f64);
    assert_eq!(Rounding::TiesToEven.round(exact), even as f64);
    if f64::from(real as f32) != real {
        return;
    }
    // The same through the scales, where float32 holds the multiplier.
    let channel = Channel::of_multiplier(real, 0);
    for (names, expected) in [
        (
            &[
                "litert-reference-conv",
                "tflite-micro",
                "cmsis-nn",
                "tosa-scale32-double",
            ][..],
            double,
        ),
        (
            &["litert-optimized", "litert-optimized-fc-per-tensor"],
            up_up,
        ),
        (
            &[
                "cmsis-nn-single-rounding",
                "tosa-scale32-single",
                "xnnpack-rndnu",
            ],
            single,
        ),
        (&["litert-reference-fc"], away),
        (
            &["onnxruntime-qlinear", "litert-xnnpack", "float32-division"],
            even,
        ),
    ] {
        for name in names {
            let clamped = expected.clamp(-128, 127) as i32;
            assert_eq!(code(name, &channel, acc), clamped, "{name}");
        }
    }
}

#[rstest]
#[case(1, 16384, 15, 1)]
#[case(-1, 16384, 15, 0)]
#[case(3, 16384, 15, 2)]
#[case(-3, 16384, 15, -1)]
#[case(5, 16384, 16, 1)]
#[case(-5, 16384, 16, -1)]
#[case(6, 16384, 16, 2)]
#[case(-6, 16384, 16, -1)]
#[case(7, 16384, 16, 2)]
#[case(-7, 16384, 16, -2)]
#[case(2, 16384, 16, 1)]
#[case(-2, 16384, 16, 0)]
#[case(1000, 26214, 19, 50)]
#[case(-1000, 26214, 19, -50)]
#[case(12345, 21845, 22, 64)]
#[case(-12345, 21845, 22, -64)]
#[case(100000, 19661, 24, 117)]
#[case(-100000, 19661, 24, -117)]
#[case(255, 24576, 20, 6)]
#[case(-255, 24576, 20, -6)]
#[case(2147483647, 16384, 37, 256)]
#[case(-2147483648, 16384, 37, -256)]
#[case(1099511627776, 16384, 50, 16)]
#[case(-1099511627777, 16384, 50, -16)]
fn t2_tosa_with_16_bits(
    #[case] value: i64,
    #[case] multiplier: i16,
    #[case] shift: u32,
    #[case] expected: i64,
) {
    assert_eq!(rescale(value, multiplier, shift), expected);
}

#[rstest]
#[case(0.5, 1, 1)]
#[case(0.25, 1, 2)]
#[case(0.75, 3, 2)]
#[case(0.1, 205, 11)]
#[case(0.3, 77, 8)]
#[case(0.3333333333333333, 171, 9)]
#[case(0.01, 41, 12)]
#[case(0.0123, 101, 13)]
#[case(0.001, 131, 17)]
#[case(0.0042, 69, 14)]
#[case(0.9961, 255, 8)]
#[case(0.998, 255, 8)]
#[case(1.0, 1, 0)]
#[case(1.5, 3, 1)]
#[case(0.0078125, 1, 7)]
#[case(0.7071, 181, 8)]
#[case(1e-05, 21, 21)]
#[case(3.3e-07, 3, 23)]
fn t3_sq8_scales(#[case] real: f64, #[case] scale: u8, #[case] shift: u32) {
    assert_eq!(Sq8Scale::new(real), Ok(Sq8Scale { scale, shift }));
}

#[rstest]
#[case(1, 1, 1, 1, 0, 1)]
#[case(-1, 1, 1, 0, -1, 0)]
#[case(3, 1, 1, 2, 1, 2)]
#[case(-3, 1, 1, -1, -2, 0)]
#[case(5, 1, 2, 1, 1, 1)]
#[case(-5, 1, 2, -1, -2, 0)]
#[case(6, 1, 2, 2, 1, 2)]
#[case(-6, 1, 2, -1, -2, 0)]
#[case(100, 205, 11, 10, 10, 10)]
#[case(-100, 205, 11, -10, -11, 0)]
#[case(1000, 205, 11, 100, 100, 100)]
#[case(-1000, 205, 11, -100, -101, 0)]
#[case(1280, 205, 11, 127, 127, 127)]
#[case(-1280, 205, 11, -128, -128, 0)]
#[case(12345, 171, 14, 127, 127, 127)]
#[case(-12345, 171, 14, -128, -128, 0)]
#[case(5000, 151, 15, 23, 23, 23)]
#[case(-5000, 151, 15, -23, -24, 0)]
#[case(32767, 129, 15, 127, 127, 127)]
#[case(-32768, 129, 15, -128, -128, 0)]
#[case(32, 129, 6, 65, 64, 65)]
#[case(-33, 129, 6, -67, -67, 0)]
#[case(64, 3, 7, 2, 1, 2)]
#[case(-64, 3, 7, -1, -2, 0)]
#[case(127, 255, 8, 127, 126, 127)]
#[case(-128, 255, 8, -127, -128, 0)]
fn t3b_sq8_codes(
    #[case] acc: i32,
    #[case] scale: u8,
    #[case] shift: u32,
    #[case] rounded: i32,
    #[case] floor: i32,
    #[case] relu: i32,
) {
    let factor = Sq8Scale { scale, shift };
    let up = factor.apply(acc, Rounding::HalfUp);
    assert_eq!(up.clamp(-128, 127), rounded);
    assert_eq!(up.clamp(0, 127), relu);
    assert_eq!(factor.apply(acc, Rounding::Floor).clamp(-128, 127), floor);
}

#[rstest]
#[case(1, 0.5, 0, 1)]
#[case(-1, 0.5, -1, 0)]
#[case(3, 0.5, 1, 2)]
#[case(-3, 0.5, -2, -1)]
#[case(10, 0.25, 2, 3)]
#[case(-10, 0.25, -3, -2)]
#[case(100, 0.1, 10, 10)]
#[case(-100, 0.1, -11, -10)]
#[case(1000, 0.1, 100, 100)]
#[case(-1000, 0.1, -101, -100)]
#[case(1275, 0.1, 127, 127)]
#[case(-1285, 0.1, -128, -128)]
#[case(4321, 0.0123, 53, 53)]
#[case(-4321, 0.0123, -54, -53)]
#[case(10000, 0.0123, 122, 123)]
#[case(-10000, 0.0123, -123, -123)]
#[case(65536, 0.001, 66, 66)]
#[case(-65536, 0.001, -66, -66)]
#[case(130000, 0.00098, 126, 127)]
#[case(-130000, 0.00098, -127, -127)]
#[case(50000, 1.53e-05, 0, 1)]
#[case(-50000, 1.53e-05, -1, -1)]
#[case(8323072, 1.53e-05, 127, 127)]
#[case(-1, 7.6e-06, 0, 0)]
fn t4_q16(#[case] acc: i32, #[case] m: f64, #[case] floor: i32, #[case] rounded: i32) {
    let channel = Channel::of_multiplier(m, 0);
    assert_eq!(code("q16-floor", &channel, acc), floor);
    assert_eq!(code("q16-rounded", &channel, acc), rounded);
}

#[rstest]
#[case(1, 32, 0, 6, 0, Some(0), 0)]
#[case(-1, 32, 0, 6, 0, Some(0), -1)]
#[case(3, 32, 0, 6, 1, Some(1), 1)]
#[case(-3, 32, 0, 6, 0, Some(0), -2)]
#[case(95, 32, 0, 6, 47, Some(47), 47)]
#[case(96, 32, 0, 6, 48, Some(48), 48)]
#[case(127, 33, 0, 6, 65, Some(65), 65)]
#[case(128, 33, 0, 6, 66, Some(66), 66)]
#[case(500, 33, 0, 6, 255, Some(255), 127)]
#[case(495, 33, 0, 6, 255, Some(255), 127)]
#[case(-500, 33, 0, 6, 0, Some(0), -128)]
#[case(1000, 41, 0, 8, 160, Some(160), 127)]
#[case(-1000, 41, 0, 8, 0, Some(0), -128)]
#[case(1592, 41, 0, 8, 254, Some(254), 127)]
#[case(1593, 41, 0, 8, 255, Some(255), 127)]
#[case(10000, 52, 0, 11, 253, Some(253), 127)]
#[case(10044, 52, 0, 11, 255, Some(255), 127)]
#[case(10084, 52, 1024, 11, 255, None, 127)]
#[case(-20, 52, 1024, 11, 0, None, -1)]
#[case(-19, 52, 1024, 11, 0, None, 0)]
#[case(100000, 58, 0, 14, 255, Some(255), 127)]
#[case(70000, 60, 0, 14, 255, Some(255), 127)]
#[case(1000000, 40, 0, 8, 255, Some(255), 127)]
#[case(2000000, 40, 0, 8, 255, Some(0), 127)]
#[case(1677721, 40, 0, 11, 255, Some(255), 127)]
fn t5_pulp_nn(
    #[case] acc: i32,
    #[case] k: i32,
    #[case] lambda: i32,
    #[case] d: u32,
    #[case] bn_quant: i32,
    #[case] quant: Option<i16>,
    #[case] signed: i32,
) {
    let shifted = pulp_nn_bn_quant(acc, k, lambda, d);
    assert_eq!(shifted.clamp(0, 255), bn_quant);
    assert_eq!(shifted.clamp(-128, 127), signed);
    if let Some(quant) = quant {
        assert_eq!(pulp_nn_quant(acc, k, d).clamp(0, 255), quant);
    }
}

#[rstest]
#[case(1, 1, 0, 0, 0, 1, 1, 1)]
#[case(1, 1, 1, 1, 2, 2, 2, 2)]
#[case(3, 1, 0, 2, 2, 2, 2, 2)]
#[case(3, 1, 1, 3, 2, 3, 3, 3)]
#[case(-1, 1, 0, 0, 0, 0, 0, 0)]
#[case(-1, 1, 1, 1, 0, 1, 1, 1)]
#[case(-3, 1, 0, -2, -2, -1, -1, -1)]
#[case(-3, 1, 1, -1, 0, 0, 0, 0)]
#[case(5, 1, 7, 9, 10, 10, 10, 10)]
#[case(-5, 1, 7, 5, 4, 5, 5, 5)]
#[case(10, 2, 3, 5, 6, 6, 6, 6)]
#[case(-10, 2, 3, 1, 0, 0, 1, 1)]
#[case(6, 2, 3, 5, 4, 5, 5, 5)]
#[case(-6, 2, 3, 1, 2, 1, 2, 2)]
#[case(2, 2, 5, 5, 6, 6, 6, 6)]
#[case(-2, 2, 5, 5, 4, 4, 5, 5)]
#[case(100, 3, -5, 7, 8, 8, 8, 8)]
#[case(-100, 3, -5, -17, -18, -18, -17, -17)]
#[case(12, 3, -5, -3, -4, -3, -3, -3)]
#[case(-12, 3, -5, -7, -6, -7, -6, -6)]
#[case(20, 3, -5, -3, -2, -2, -2, -2)]
#[case(-20, 3, -5, -7, -8, -8, -7, -7)]
fn t6_ties_of_a_power_of_two(
    #[case] acc: i32,
    #[case] k: i32,
    #[case] zero_point: i32,
    #[case] before: i32,
    #[case] after: i32,
    #[case] double: i32,
    #[case] up_up: i32,
    #[case] single: i32,
) {
    let channel = Channel::of_multiplier(2f64.powi(-k), zero_point);
    for (names, expected) in [
        (
            &[
                "pytorch-fbgemm",
                "pytorch-x86-linear",
                "pytorch-qnnpack",
                "onnxruntime-qlinear",
                "litert-xnnpack",
                "fake-quantize",
                "pt2e-decomposed",
                "float32-division",
            ][..],
            before,
        ),
        (
            &[
                "pytorch-onednn-conv",
                "pytorch-onednn-linear",
                "pytorch-x86-conv",
                "pt2e-x86-inductor",
            ],
            after,
        ),
        (
            &[
                "litert-reference-conv",
                "tflite-micro",
                "cmsis-nn",
                "tosa-scale32-double",
            ],
            double,
        ),
        (
            &["litert-optimized", "litert-optimized-fc-per-tensor"],
            up_up,
        ),
        (
            &[
                "cmsis-nn-single-rounding",
                "tosa-scale32-single",
                "tosa-scale16",
                "xnnpack-rndnu",
                "nntool-sq8",
                "q16-rounded",
                "power-of-two-rounded",
            ],
            single,
        ),
    ] {
        for name in names {
            assert_eq!(code(name, &channel, acc), expected, "{name}");
        }
    }
}
