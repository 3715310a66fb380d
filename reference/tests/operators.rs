//! Each operator is the sum that its formula writes: checked against the formula spelled
//! out index by index, on integers, where every order of summation gives the same value.

use half::{bf16, f16};
use proptest::prelude::*;
use reference::ops::{self, AveragePoolGeometry};
use reference::{Conv2dGeometry, Element, PoolGeometry, ShapeError, Tensor};

/// Small integers from a seed: cheap to generate, and exact in every float type.
fn integers(shape: &[usize], seed: u64) -> Tensor<f64> {
    let mut state = seed;
    let values = (0..shape.iter().product()).map(|_| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        f64::from((state >> 59) as i32 - 16)
    });
    Tensor::new(shape, values.collect()).unwrap()
}

/// The value at (n, c, y − padding, x − padding), 0 outside.
fn at(image: &Tensor<f64>, n: usize, c: usize, y: isize, x: isize) -> f64 {
    let (h, w) = (image.shape()[2] as isize, image.shape()[3] as isize);
    if (0..h).contains(&y) && (0..w).contains(&x) {
        image[[n, c, y as usize, x as usize]]
    } else {
        0.0
    }
}

#[derive(Clone, Debug)]
struct Case {
    input: [usize; 4],
    weight: [usize; 4],
    bias: bool,
    geometry: Conv2dGeometry,
    seed: u64,
}

fn case() -> impl Strategy<Value = Case> {
    let pair = |range: std::ops::Range<usize>| [range.clone(), range];
    (
        (
            1usize..3,
            1usize..4,
            1usize..4,
            1usize..3,
            any::<bool>(),
            any::<u64>(),
        ),
        (pair(1..9), pair(1..4), pair(1..4), pair(0..4), pair(1..3)),
    )
        .prop_map(
            |((n, i, o, groups, bias, seed), (size, kernel, stride, padding, dilation))| Case {
                input: [n, i * groups, size[0], size[1]],
                weight: [o * groups, i, kernel[0], kernel[1]],
                bias,
                geometry: Conv2dGeometry {
                    stride,
                    padding,
                    dilation,
                    groups,
                },
                seed,
            },
        )
}

proptest! {
    #[test]
    fn conv2d_is_its_formula(case in case()) {
        let g = &case.geometry;
        let input = integers(&case.input, case.seed);
        let weight = integers(&case.weight, case.seed ^ 1);
        let bias = integers(&case.weight[..1], case.seed ^ 2).into_data();
        let bias = case.bias.then_some(bias);
        let Ok(shape) = g.output_shape(&case.input, &case.weight) else {
            prop_assert!(ops::conv2d(&input, &weight, bias.as_deref(), g).is_err());
            return Ok(());
        };
        let output = ops::conv2d(&input, &weight, bias.as_deref(), g).unwrap();
        prop_assert_eq!(output.shape(), shape);
        let [_, i, kh, kw] = case.weight;
        for (flat, &got) in output.data().iter().enumerate() {
            let position = output.position(flat);
            let [n, o, y, x] = position[..] else { unreachable!() };
            let group = o / (case.weight[0] / g.groups);
            let mut sum = bias.as_ref().map_or(0.0, |bias| bias[o]);
            for (c, ky, kx) in itertools(i, kh, kw) {
                let iy = (y * g.stride[0] + ky * g.dilation[0]) as isize - g.padding[0] as isize;
                let ix = (x * g.stride[1] + kx * g.dilation[1]) as isize - g.padding[1] as isize;
                sum += weight[[o, c, ky, kx]] * at(&input, n, group * i + c, iy, ix);
            }
            prop_assert_eq!(got, sum, "at {:?}", position);
        }
        // Small integers: every type and the int8 sums give the same.
        check_types(&input, &weight, bias.as_deref(), g, &output)?;
    }

    #[test]
    fn pools_are_their_formulas(
        size in [1usize..8, 1..8],
        kernel in [1usize..5, 1..5],
        stride in [1usize..4, 1..4],
        padding in [0usize..3, 0..3],
        count_include_pad: bool,
        seed: u64,
    ) {
        let input = integers(&[2, 2, size[0], size[1]], seed);
        let window = PoolGeometry { kernel, stride, padding };
        let average = AveragePoolGeometry { window, count_include_pad };
        let Ok(shape) = window.output_shape(input.shape()) else {
            prop_assert!(ops::max_pool2d(&input, &window).is_err());
            prop_assert!(ops::average_pool2d(&input, &average).is_err());
            return Ok(());
        };
        let max = ops::max_pool2d(&input, &window).unwrap();
        let mean = ops::average_pool2d(&input, &average).unwrap();
        prop_assert_eq!(max.shape(), shape);
        for flat in 0..max.data().len() {
            let position = max.position(flat);
            let [n, c, y, x] = position[..] else { unreachable!() };
            let mut values = Vec::new();
            for (_, ky, kx) in itertools(1, kernel[0], kernel[1]) {
                let iy = (y * stride[0] + ky).checked_sub(padding[0]).filter(|&iy| iy < size[0]);
                let ix = (x * stride[1] + kx).checked_sub(padding[1]).filter(|&ix| ix < size[1]);
                if let (Some(iy), Some(ix)) = (iy, ix) {
                    values.push(input[[n, c, iy, ix]]);
                }
            }
            prop_assert!(!values.is_empty());
            let count = if count_include_pad { kernel[0] * kernel[1] } else { values.len() };
            prop_assert_eq!(max.data()[flat], values.iter().copied().fold(f64::MIN, f64::max));
            prop_assert_eq!(mean.data()[flat], values.iter().sum::<f64>() / count as f64);
        }
    }

    #[test]
    fn linear_is_its_formula(n in 0usize..4, i in 0usize..9, o in 0usize..5, with_bias: bool, seed: u64) {
        let (input, weight) = (integers(&[n, i], seed), integers(&[o, i], seed ^ 1));
        let bias = with_bias.then(|| integers(&[o], seed ^ 2).into_data());
        let output = ops::linear(&input, &weight, bias.as_deref()).unwrap();
        prop_assert_eq!(output.shape(), [n, o]);
        for flat in 0..n * o {
            let (row, column) = (flat / o, flat % o);
            let sum: f64 = (0..i).map(|k| weight[[column, k]] * input[[row, k]]).sum();
            let expected = sum + bias.as_ref().map_or(0.0, |bias| bias[column]);
            prop_assert_eq!(output.data()[flat], expected);
        }
    }
}

fn itertools(a: usize, b: usize, c: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..a * b * c).map(move |i| (i / (b * c), i / c % b, i % c))
}

fn check_types(
    input: &Tensor<f64>,
    weight: &Tensor<f64>,
    bias: Option<&[f64]>,
    g: &Conv2dGeometry,
    expected: &Tensor<f64>,
) -> Result<(), TestCaseError> {
    fn run<E: Element>(
        input: &Tensor<f64>,
        weight: &Tensor<f64>,
        bias: Option<&[f64]>,
        g: &Conv2dGeometry,
    ) -> Tensor<E> {
        let cast = |v: f64| E::from_f32(v as f32);
        let bias: Option<Vec<E>> = bias.map(|bias| bias.iter().map(|&b| cast(b)).collect());
        ops::conv2d(&input.map(cast), &weight.map(cast), bias.as_deref(), g).unwrap()
    }
    prop_assert_eq!(
        run::<f32>(input, weight, bias, g).map(f64::from),
        expected.clone()
    );
    // The sums are exact in f32 and then rounded once.
    let halves = run::<f16>(input, weight, bias, g);
    prop_assert_eq!(halves, expected.map(|v| f16::from_f32(v as f32)));
    let brains = run::<bf16>(input, weight, bias, g);
    prop_assert_eq!(brains, expected.map(|v| bf16::from_f32(v as f32)));

    let code = |v: f64| v as i8;
    let bias: Option<Vec<i32>> = bias.map(|bias| bias.iter().map(|&b| b as i32).collect());
    let sums = ops::conv2d_sums(&input.map(code), &weight.map(code), bias.as_deref(), g).unwrap();
    prop_assert_eq!(sums.map(f64::from), expected.clone());
    Ok(())
}

#[test]
fn relu_keeps_nan_and_clears_negatives() {
    let input = Tensor::new(&[5], vec![-1.5f32, -0.0, 0.0, 2.5, f32::NAN]).unwrap();
    let output = ops::relu(&input);
    assert_eq!(output.data()[..4], [0.0, 0.0, 0.0, 2.5]);
    assert!(output.data()[4].is_nan());
}

#[test]
fn max_pool_lets_nan_win() {
    let pool = PoolGeometry {
        kernel: [1, 3],
        stride: [1, 1],
        padding: [0, 0],
    };
    for row in [
        [f32::NAN, 1.0, 2.0],
        [1.0, f32::NAN, 2.0],
        [1.0, 2.0, f32::NAN],
    ] {
        let input = Tensor::new(&[1, 1, 1, 3], row.to_vec()).unwrap();
        assert!(
            ops::max_pool2d(&input, &pool).unwrap().data()[0].is_nan(),
            "{row:?}"
        );
    }
}

#[test]
fn add_and_flatten_keep_order_and_refuse_other_shapes() {
    let a = integers(&[2, 3, 2, 2], 1);
    let sum = ops::add(&a, &a).unwrap();
    assert_eq!(sum, a.map(|v| 2.0 * v));
    let flat = ops::flatten(a.clone()).unwrap();
    assert_eq!((flat.shape(), flat.data()), (&[2, 12][..], a.data()));
    assert!(matches!(
        ops::add(&a, &flat),
        Err(ShapeError::Shapes { .. })
    ));
    let scalar = Tensor::new(&[], vec![1.0]).unwrap();
    assert!(matches!(ops::flatten(scalar), Err(ShapeError::Rank { .. })));
}

#[test]
fn log_softmax_where_it_is_exact() {
    let of = |row: &[f64]| {
        let input = Tensor::new(&[1, row.len()], row.to_vec()).unwrap();
        ops::log_softmax(&input).unwrap().into_data()
    };
    // Equal scores share evenly, whatever they are.
    for (classes, score) in [(1usize, 3.0), (2, -0.5), (4, 700.0), (8, -1e6)] {
        let share = -(classes as f64).ln();
        assert_eq!(of(&vec![score; classes]), vec![share; classes]);
    }
    // A score that is far below takes nothing.
    assert_eq!(of(&[0.0, 1000.0, -5.0]), [-1000.0, 0.0, -1005.0]);
    assert_eq!(of(&[1000.0, 1000.0, 0.0])[..2], [-2f64.ln(); 2]);

    let empty = Tensor::<f32>::new(&[2, 0], vec![]).unwrap();
    assert_eq!(ops::log_softmax(&empty).unwrap(), empty);
    let flat = Tensor::new(&[3], vec![0.0f32; 3]).unwrap();
    assert!(matches!(
        ops::log_softmax(&flat),
        Err(ShapeError::Rank { .. })
    ));
}

#[test]
fn a_bias_of_another_length_is_an_error() {
    let (input, weight) = (integers(&[1, 1, 3, 3], 1), integers(&[2, 1, 3, 3], 2));
    let geometry = Conv2dGeometry::default();
    let short = ops::conv2d(&input, &weight, Some(&[0.0]), &geometry);
    let mismatch = ShapeError::Mismatch {
        what: "values of the bias",
        expected: 2,
        got: 1,
    };
    assert_eq!(short, Err(mismatch.clone()));
    let (input, weight) = (integers(&[1, 3], 1), integers(&[2, 3], 2));
    assert_eq!(ops::linear(&input, &weight, Some(&[0.0])), Err(mismatch));
    assert!(matches!(
        ops::linear(&input, &integers(&[2, 4], 2), None),
        Err(ShapeError::Mismatch {
            expected: 3,
            got: 4,
            ..
        })
    ));
}
