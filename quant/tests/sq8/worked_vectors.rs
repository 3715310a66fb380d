//! Numbers worked by hand, on ties and at ends.

use quant::contracts::ContractError;
use quant::sq8::{
    Infos, Sq8Params, Sq8Scale, accumulator_bits, bias_code, mean, multiplicative_bias,
    multiplier_bits, qsnr, stored_bias, weight_code, weight_scale,
};
use quant::{QuantError, Rounding, Scale};
use rstest::rstest;

fn scale(value: f64) -> Scale {
    Scale::new(value).unwrap()
}

fn params(scale: f64, zero_point: i32) -> Sq8Params {
    Sq8Params::new(scale, zero_point).unwrap()
}

#[rstest]
#[case(&[0.0, -0.0], 1.0 / 127.0)] // the range is taken to be 1
#[case(&[-254.0, 127.0], 2.0)]
#[case(&[0.5, 0.25], 0.5 / 127.0)]
fn a_row_of_weights_has_one_scale(#[case] weights: &[f32], #[case] expected: f64) {
    // Once rounded to float32.
    assert_eq!(weight_scale(weights).unwrap().get(), expected as f32);
}

#[test]
fn weights_without_a_scale_are_refused() {
    assert_eq!(weight_scale(&[]), Err(QuantError::Empty));
    assert!(matches!(
        weight_scale(&[1.0, f32::NAN]),
        Err(QuantError::NotFinite { index: 1, .. })
    ));
    // Of 2^−149 no 127th is left.
    assert_eq!(
        weight_scale(&[f32::from_bits(1)]),
        Err(QuantError::Scale {
            value: f64::from(f32::from_bits(1)) / 127.0
        })
    );
}

#[rstest]
#[case(0.5, 1)] // ties go up
#[case(-0.5, 0)]
#[case(1.5, 2)]
#[case(-1.5, -1)]
#[case(-2.5, -2)]
#[case(126.5, 127)]
#[case(-126.5, -126)]
#[case(-127.5, -127)]
#[case(127.5, 127)] // clamped
#[case(-127.51, -127)] // clamped: −128 is left out
#[case(1e30, 127)]
#[case(-1e30, -127)]
#[case(0.5f32.next_down(), 1)] // its float32 sum with ½ is 1
#[case(1.5f32.next_down(), 1)]
fn a_weight_is_rounded_half_up(#[case] weight: f32, #[case] code: i8) {
    assert_eq!(weight_code(weight, scale(1.0)), code);
    assert_eq!(weight_code(weight * 0.25, scale(0.25)), code);
}

#[rstest]
#[case(0.5, 1)]
#[case(-0.5, 0)]
#[case(-1.5, -1)]
#[case(0.49, 0)]
fn a_bias_is_rounded_half_up(#[case] steps: f32, #[case] code: i64) {
    assert_eq!(bias_code(steps, scale(0.5), &params(2.0, 3)), Some(code));
}

#[test]
fn a_bias_beyond_int32_has_no_code() {
    let of = |bias| bias_code(bias, scale(1.0), &params(1.0, 0));
    assert_eq!(of(i32::MAX as f32), None); // 2^31 in float32
    assert_eq!(of((i32::MAX as f32).next_down()), Some((1 << 31) - 128));
    assert_eq!(of(-((1u32 << 31) as f32)), None);
    assert_eq!(of(f32::NAN), None);
}

#[rstest]
// 7 − 3·(1 − 2 + 4) + ⌊−5·(0.5/(2·0.25)) + ½⌋
#[case(7, 3, -5, 7 - 9 - 5)]
#[case(7, -128, 0, 7 + 384)]
#[case(i64::from(i32::MAX), -1, 0, i32::MAX)] // clamped
#[case(i64::from(i32::MIN), 1, 0, i32::MIN)]
#[case(i64::from(i32::MIN) + 3, 1, 0, i32::MIN)]
#[case(i64::from(i32::MIN) + 4, 1, 0, i32::MIN + 1)]
fn a_stored_bias_holds_both_zero_points(
    #[case] code: i64,
    #[case] z_input: i32,
    #[case] z_output: i32,
    #[case] stored: i32,
) {
    let (input, output) = (params(2.0, z_input), params(0.5, z_output));
    assert_eq!(
        stored_bias(code, &[1, -2, 4], scale(0.25), &input, &output),
        stored
    );
}

#[rstest]
// z·s_O/(s_I·s_W) = 0.5 z: an odd z is a tie, and goes up
#[case(-3, -1)]
#[case(3, 2)]
#[case(-1, 0)]
fn the_zero_point_in_steps_of_the_accumulator_is_rounded_half_up(
    #[case] z: i32,
    #[case] stored: i32,
) {
    let (input, output) = (params(1.0, 0), params(0.5, z));
    assert_eq!(stored_bias(0, &[9], scale(1.0), &input, &output), stored);
}

#[rstest]
#[case(1, 0, 14, Some(8))]
#[case(75, 0, 21, Some(8))] // conv1 of the lab
#[case(150, 0, 22, Some(8))]
#[case(400, 0, 23, Some(8))] // fc1: the last with 8 bits
#[case(512, 0, 23, Some(8))]
#[case(513, 0, 24, Some(7))]
#[case(784, 0, 24, Some(7))]
#[case(784, 1 << 24, 24, Some(7))]
#[case(784, (1 << 24) + 1, 25, Some(6))] // the bias takes more than the products
#[case(784, -(1 << 30) - 1, 31, Some(0))]
#[case(1 << 17, 0, 31, Some(0))]
#[case((1 << 17) + 1, 0, 32, None)]
fn accumulator_and_multiplier_share_31_bits(
    #[case] inputs: usize,
    #[case] bias: i64,
    #[case] bits: u32,
    #[case] left: Option<u32>,
) {
    assert_eq!(accumulator_bits(inputs, bias), bits);
    assert_eq!(multiplier_bits(inputs, bias), left);
}

#[rstest]
#[case(1.0 / 128.0, 8, 1, 7)]
#[case(0.75, 8, 3, 2)]
#[case(0.2, 8, 205, 10)] // 0.2·2^10 = 204.8
#[case(0.2, 7, 51, 8)] // 51.2
#[case(0.2, 3, 3, 4)] // 6.4 is 6 = 3·2
#[case(255.5 / 512.0, 8, 1, 1)] // 255.5 is 256, which has 9 bits
#[case(255.0 / 512.0, 8, 255, 9)]
#[case(2.5, 8, 5, 1)]
#[case(200.0, 8, 200, 0)] // even, but nothing is left to shift
fn a_factor_is_a_multiplier_and_a_shift(
    #[case] factor: f64,
    #[case] bits: u32,
    #[case] scale: u8,
    #[case] shift: u32,
) {
    let expected = Sq8Scale { scale, shift };
    assert_eq!(Sq8Scale::with_bits(factor, bits), Ok(expected));
    assert_eq!(
        expected.factor(),
        f64::from(scale) / f64::from(shift).exp2()
    );
}

#[test]
fn a_factor_beyond_the_shifts_is_refused() {
    let refused = |factor, bits| Sq8Scale::with_bits(factor, bits).unwrap_err();
    // One bit of 0.775·2^2 would have to be shifted to the left.
    assert!(matches!(
        refused(3.1, 1),
        ContractError::MultiplierTooLarge { .. }
    ));
    // Eight bits of 255.9 round to 256.
    for large in [255.9, 256.0] {
        assert!(matches!(
            refused(large, 8),
            ContractError::MultiplierTooLarge { .. }
        ));
    }
    let least = 2f64.powi(-24);
    let one = Sq8Scale {
        scale: 1,
        shift: 24,
    };
    assert_eq!(Sq8Scale::with_bits(least, 8), Ok(one));
    // With no bits left, what is ½ is rounded up to 1: twice too large.
    assert_eq!(Sq8Scale::with_bits(least / 2.0, 8), Ok(one));
    assert!(matches!(
        refused(least / 4.0, 8),
        ContractError::MultiplierTooSmall { .. }
    ));
}

#[test]
fn a_layer_of_ones_is_not_scaled() {
    let ones = [(1.0, Some(8)), (1.0, None)];
    assert_eq!(multiplicative_bias(&ones).unwrap(), [Sq8Scale::ONE; 2]);
    let beside = [(1.0, Some(8)), (0.75, Some(8)), (0.5, None)];
    assert_eq!(
        multiplicative_bias(&beside[..2]).unwrap(),
        [Sq8Scale::ONE, Sq8Scale { scale: 3, shift: 2 }]
    );
    assert!(matches!(
        multiplicative_bias(&beside),
        Err((2, ContractError::MultiplierTooSmall { .. }))
    ));
}

#[rstest]
//                     half up              floor
#[case(1, 1, 1, 0)]
#[case(-1, 1, 0, -1)]
#[case(-3, 1, -1, -2)]
#[case(3, 0, 3, 3)]
#[case(-24, 4, -1, -2)] // −1.5
#[case(24, 4, 2, 1)]
#[case(-25, 4, -2, -2)]
fn a_shift_rounds_half_up(
    #[case] acc: i32,
    #[case] shift: u32,
    #[case] up: i32,
    #[case] down: i32,
) {
    let scale = Sq8Scale { scale: 1, shift };
    assert_eq!(scale.apply(acc, Rounding::HalfUp), up);
    assert_eq!(scale.apply(acc, Rounding::Floor), down);
}

#[test]
fn a_product_wraps_to_int32() {
    let scale = Sq8Scale {
        scale: 3,
        shift: 24,
    };
    // Products of 2^31 − 2 and 2^31 + 1.
    assert_eq!(scale.apply(715_827_882, Rounding::Floor), 127);
    assert_eq!(scale.apply(715_827_883, Rounding::Floor), -128);
    // The half wraps as well.
    assert_eq!(scale.apply(715_827_882, Rounding::HalfUp), -128);
}

#[test]
fn infos_are_those_of_the_lab() {
    let mut relu = [0; 13];
    (relu[0], relu[2]) = (1, -128);
    assert_eq!(Infos::new(Some(-128)).bytes(), relu);
    assert_eq!(Infos::new(None).bytes(), [0; 13]);
    let mut symmetric = [0; 13];
    symmetric[0] = 1;
    assert_eq!(Infos::new(Some(0)).bytes(), symmetric);
    assert_eq!(
        Infos::new(Some(-128)).bytes_of_4_0(),
        [1, 0, -128, 0, 0, 0, 0, 0, 0]
    );
    assert_eq!(Infos::new(None).bytes_of_4_0(), [0; 9]);
}

#[rstest]
#[case(6, 4, 2)] // 1.5 goes up
#[case(-6, 4, -1)]
#[case(127 * 9, 9, 127)]
#[case(-128 * 9, 9, -128)]
#[case(4 * 9 + 4, 9, 4)]
#[case(4 * 9 + 5, 9, 5)]
#[case(-128 * 49, 49, -128)]
#[case(252, 24, 10)] // 10.5, but 2^16/24 is rounded down
fn a_mean_has_a_quotient_of_16_bits(#[case] sum: i64, #[case] count: i64, #[case] code: i64) {
    assert_eq!(mean(sum, count), code);
}

#[rstest]
#[case(&[(3.0, 3.0)], f64::INFINITY)]
#[case(&[(0.0, 0.0)], f64::INFINITY)]
#[case(&[(0.0, 1.0)], f64::NEG_INFINITY)]
#[case(&[(10.0, 9.0)], 20.0)]
#[case(&[(3.0, 2.0), (4.0, 4.0)], 14.0)] // 13.98
#[case(&[(1.0, 3.0)], -6.0)] // −6.02
fn qsnr_is_in_whole_decibels(#[case] values: &[(f64, f64)], #[case] decibels: f64) {
    assert_eq!(qsnr(values.iter().copied()), decibels);
}
