//! How far the integer network may lie from the float network (eq. 18 to 21).
//!
//! Nothing here asks what the integers came out as: the bound is known before the kernel
//! runs. Every quantity is enlarged by more than its own f64 rounding.

mod a_priori;
mod layer;

use reference::ops::{AveragePoolGeometry, average_pool2d, max_pool2d};
use reference::{Network, Op, ShapeError, Tensor, Weights};

use super::{Roundoff, U64, disagreement, outward};
use crate::formulas::composed::accumulator_scale;
use crate::formulas::{QMAX, QMIN};
use crate::{QuantNetwork, QuantWeights, Rounding, Scale};

pub use a_priori::a_priori;
pub use layer::QuantizedLayer;

/// Roundings in the longest chain of scales that is accounted for, and then some: two a
/// layer in c_i and a few around it.
const CHAIN: usize = 2048;
/// The most weighted layers whose chain that holds.
const MOST_LAYERS: usize = CHAIN / 2 - 8;

/// The relative error of `f32(acc) / s_O` in f32: two roundings.
const FLOAT32_DIVISION: f64 = (2.0 + f32::SUM) * f32::SUM;

/// The relative error of `f32(acc) · M` in f32, where M is `s_W·s_I/S_O` formed in f64 and
/// rounded to a normal f32: three roundings of f32, (1 + u)³ − 1, and 3u² more, which hold a
/// hundred of f64, where M takes two.
pub const FLOAT32_MULTIPLIER: f64 = 3.0 * f32::SUM * (1.0 + 2.0 * f32::SUM);

/// One layer's exact real output, nearly, and how far the codes may lie from it.
#[derive(Clone, Debug)]
pub struct LayerBound {
    /// The real output, evaluated in f64 on exact inputs.
    pub real: Tensor<f64>,
    /// How far `real` may lie from the exact one.
    pub real_error: Tensor<f64>,
    /// Bounds |real value of the code − exact real output|, elementwise.
    pub bound: Tensor<f64>,
    /// The real value of one code (eq. 9).
    pub step: f64,
}

impl LayerBound {
    /// The largest share of the bound that these codes use, and where.
    ///
    /// Codes are those less the zero point. The distance of a code from `real` may be that
    /// of the bound and the error of `real` itself together.
    pub fn used<Q: Copy + Into<f64>>(&self, codes: &Tensor<Q>) -> (f64, usize) {
        let mut worst = (0.0, 0);
        for i in 0..codes.data().len() {
            let share = self.share(codes, i);
            if share > worst.0 {
                worst = (share, i);
            }
        }
        worst
    }

    /// The same over the elements whose real output lies within the reach of the codes:
    /// beyond it the bound is the distance from the last code, which is always used up.
    pub fn used_inside<Q: Copy + Into<f64>>(&self, codes: &Tensor<Q>, reach: [f64; 2]) -> f64 {
        let inside = |i: &usize| {
            let v = self.real.data()[*i] / self.step;
            (reach[0]..=reach[1]).contains(&v)
        };
        let shares = (0..codes.data().len())
            .filter(inside)
            .map(|i| self.share(codes, i));
        shares.fold(0.0, f64::max)
    }

    /// What one code uses of its bound; ∞ if that is no number.
    fn share<Q: Copy + Into<f64>>(&self, codes: &Tensor<Q>, i: usize) -> f64 {
        self.share_of_real(codes.data()[i].into() * self.step, i)
    }

    /// What the real value that element `i` was computed as uses of its bound; ∞ if that is no
    /// number.
    pub fn share_of_real(&self, computed: f64, i: usize) -> f64 {
        let error = (computed - self.real.data()[i]).abs();
        let share = error / outward(self.bound.data()[i] + self.real_error.data()[i], 4);
        if share.is_nan() { f64::INFINITY } else { share }
    }

    /// The layer where its output is known, as real values: what follows it is bounded by the
    /// distance of that from the real output.
    pub fn known(&self, computed: &Tensor<f64>) -> Self {
        let mut known = self.clone();
        let values = computed.data().iter().zip(self.real.data());
        let errors = (values.zip(self.real_error.data()))
            .map(|((computed, real), error)| outward((computed - real).abs() + error, 2));
        known
            .bound
            .data_mut()
            .iter_mut()
            .zip(errors)
            .for_each(|(bound, error)| *bound = error);
        known
    }

    /// The largest |real value of a code − real output|.
    pub fn largest_error(&self, codes: &Tensor<i8>) -> f64 {
        let errors = (codes.data().iter().zip(self.real.data()))
            .map(|(&code, real)| (f64::from(code) * self.step - real).abs());
        errors.fold(0.0, f64::max)
    }
}

/// The largest error of rounding to an integer, in steps.
pub fn rounding_step(rounding: Rounding) -> f64 {
    match rounding {
        Rounding::TiesToEven | Rounding::TiesAwayFromZero | Rounding::HalfUp => 0.5,
        Rounding::Floor | Rounding::TowardZero => 1.0,
    }
}

/// The codes that a quotient may become.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Codes {
    /// The lowest and the highest code, less the zero point.
    pub reach: [f64; 2],
    /// How quotients become integers.
    pub rounding: Rounding,
}

impl Codes {
    /// Symmetric int8: all of [−128, 127], zero point 0.
    pub fn int8(rounding: Rounding) -> Self {
        Self {
            reach: [f64::from(QMIN), f64::from(QMAX)],
            rounding,
        }
    }

    /// Eq. 19: |clamp(round(y)) − v| for a computed y within `error` steps of v.
    ///
    /// Inside the range clamping brings nothing further away; outside, the code is either
    /// unclamped or at the edge, whose distance from v is the second term.
    fn rounded(&self, error: f64, v: f64) -> f64 {
        let outside = (v - self.reach[1]).max(self.reach[0] - v);
        outward(error + rounding_step(self.rounding), 2).max(outward(outside, 2))
    }
}

/// Eq. 18: the codes of an input, from exact float32 pixels that one f32 division by the
/// scale makes quotients.
pub fn input(images: &Tensor<f32>, scale: Scale, codes: Codes) -> LayerBound {
    input_of(images, scale.wide(), codes)
}

/// The same where a scale is kept in float64; positive and normal in float32.
pub fn input_of(images: &Tensor<f32>, scale: f64, codes: Codes) -> LayerBound {
    LayerBound {
        real: images.map(f64::from),
        real_error: images.map(|_| 0.0),
        bound: images.map(|x| {
            let v = f64::from(x) / scale;
            // What underflow adds is 1e-45, and nothing beside half a code, enlarged.
            let division = outward(f32::SUM * v.abs(), 2);
            // v itself is a rounded quotient, and near the edge of the codes that shows.
            let of_v = v.abs() * 2.0 * U64;
            outward(scale * (codes.rounded(division, v) + of_v), 3)
        }),
        step: scale,
    }
}

/// Bounds every layer of `quant` against `float` on these images, a posteriori.
///
/// # Errors
/// Images that are not of the networks' input shape, or more than a thousand weighted
/// layers.
pub fn a_posteriori(
    float: &Network<Weights<f32>>,
    quant: &QuantNetwork,
    images: &Tensor<f32>,
) -> Result<Vec<LayerBound>, ShapeError> {
    check_depth(float)?;
    let wide = float.cast::<f64>();
    let mut layers: Vec<LayerBound> = Vec::with_capacity(quant.network().layers().len());
    // The input is rounded half to even, whatever the layers do.
    let first = input(
        images,
        quant.input_scale(),
        Codes::int8(Rounding::TiesToEven),
    );
    let mut ss: Vec<(Scale, Scale)> = Vec::new();
    for (float, layer) in wide.layers().iter().zip(quant.network().layers()) {
        let previous = layers.last().unwrap_or(&first);
        let next = match (layer.weights(), float.weights()) {
            (Some(codes), Some(weights)) => {
                let quantized = quantized_layer(codes, weights, quant, &ss);
                ss.push((codes.weight_scale, codes.output_scale));
                quantized.a_posteriori(&float.op, previous)?
            }
            _ => unweighted(&float.op, previous, quant.rounding())?,
        };
        layers.push(next);
    }
    Ok(layers)
}

/// The chain of scales is no longer than what is accounted for.
fn check_depth(float: &Network<Weights<f32>>) -> Result<(), ShapeError> {
    let layers = float.weighted().count();
    match layers > MOST_LAYERS {
        true => Err(ShapeError::Geometry(format!(
            "{layers} weighted layers; bounds are known for {MOST_LAYERS} at most"
        ))),
        false => Ok(()),
    }
}

/// A weighted layer of an int8 network as the bound sees it; `ss` are the earlier scales.
fn quantized_layer(
    codes: &QuantWeights,
    float: &Weights<f64>,
    quant: &QuantNetwork,
    ss: &[(Scale, Scale)],
) -> QuantizedLayer {
    let c = accumulator_scale(codes.weight_scale, quant.input_scale(), ss);
    let scale = codes.weight_scale.wide();
    QuantizedLayer::new(
        float,
        // Exact: a code of 8 bits times a float32 fits f64.
        &codes.weight.map(|code| f64::from(code) * scale),
        (codes.bias.iter().flatten())
            .map(|&code| f64::from(code) * c)
            .collect(),
        c * codes.output_scale.wide(),
        Codes::int8(quant.rounding()),
        FLOAT32_DIVISION,
    )
}

/// Through a layer without weights.
///
/// # Errors
/// An input that does not fit.
pub fn unweighted(
    float: &Op<Weights<f64>>,
    input: &LayerBound,
    rounding: Rounding,
) -> Result<LayerBound, ShapeError> {
    let real = reference::network::apply(float, &input.real)?;
    let real_error = disagreement(float, &input.real, &real, &input.real_error)?;
    let bound = match float {
        Op::MaxPool2d(geometry) => max_pool2d(&input.bound, geometry)?,
        Op::AveragePool2d(geometry) => averaged(input, geometry, rounding)?,
        Op::Flatten => reference::ops::flatten(input.bound.clone())?,
        // ReLU is 1-Lipschitz, and max(0, ·) of a code is that of its real value.
        _ => input.bound.clone(),
    };
    Ok(LayerBound {
        real,
        real_error,
        bound,
        step: input.step,
    })
}

/// Eq. 21: the mean of the bounds, and the mean's own rounding.
fn averaged(
    input: &LayerBound,
    geometry: &AveragePoolGeometry,
    rounding: Rounding,
) -> Result<Tensor<f64>, ShapeError> {
    let taps = geometry.window.kernel[0] * geometry.window.kernel[1];
    let mean = average_pool2d(&input.bound, geometry)?;
    // The quotient of two integers in f64 rounds to the same integer as the exact one.
    Ok(mean.map(|e| outward(outward(e, taps) + input.step * rounding_step(rounding), 3)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reference::{Conv2dGeometry, InputSpec, Layer, PoolGeometry};
    use rstest::rstest;

    const U: f64 = f32::SUM;

    #[test]
    fn the_arithmetic_of_a_requantizer_is_that_of_its_roundings() {
        assert_eq!(FLOAT32_DIVISION, (1.0 + U) * (1.0 + U) - 1.0);
        let three = (1.0 + U).powi(3) * (1.0 + 2.0 * U64) - 1.0;
        assert!((three..three * (1.0 + 4.0 * U)).contains(&FLOAT32_MULTIPLIER));
    }

    /// Three codes of step 2 whose reals are known to within ½ and bounded by 1.
    fn bound(real: [f64; 3], bound: f64) -> LayerBound {
        let tensor = |values: &[f64]| Tensor::new(&[3], values.to_vec()).unwrap();
        LayerBound {
            real: tensor(&real),
            real_error: tensor(&[0.5; 3]),
            bound: tensor(&[bound; 3]),
            step: 2.0,
        }
    }

    #[test]
    fn the_share_is_the_error_over_what_is_allowed() {
        let bound = bound([2.0, -3.0, 9.0], 1.0);
        let codes = Tensor::new(&[3], vec![1i8, -3, 4]).unwrap();
        let close = |share: f64, expected: f64| {
            assert!(
                (expected * (1.0 - 64.0 * U64)..=expected).contains(&share),
                "{share}"
            );
        };
        let (share, at) = bound.used(&codes);
        close(share, 3.0 / 1.5);
        assert_eq!(at, 1);
        assert_eq!(bound.largest_error(&codes), 3.0);
        // −3 is −1½ codes and 9 is 4½: of these only the first two are inside.
        close(bound.used_inside(&codes, [-2.0, 4.0]), 3.0 / 1.5);
        close(bound.used_inside(&codes, [-1.0, 5.0]), 1.0 / 1.5);
        assert_eq!(bound.used_inside(&codes, [0.0, 4.0]), 0.0);
        // The first of two equal shares is named.
        let even = Tensor::new(&[3], vec![1i8, -1, 4]).unwrap();
        assert_eq!(bound.used(&even).1, 1);
    }

    #[test]
    fn what_is_no_number_is_outside_every_bound() {
        let nothing = bound([f64::NAN, 0.0, 0.0], 1.0);
        let codes = Tensor::new(&[3], vec![0i8; 3]).unwrap();
        assert_eq!(nothing.used(&codes), (f64::INFINITY, 0));
    }

    #[test]
    fn a_code_is_within_half_a_step_or_at_the_edge() {
        let codes = Codes::int8(Rounding::TiesToEven);
        let floor = Codes::int8(Rounding::Floor);
        let close = |bound: f64, expected: f64| {
            assert!(
                (expected..=expected * (1.0 + 64.0 * U64)).contains(&bound),
                "{bound}"
            );
        };
        close(codes.rounded(0.25, 3.0), 0.75);
        close(floor.rounded(0.25, 3.0), 1.25);
        close(codes.rounded(0.25, 130.0), 3.0);
        close(codes.rounded(0.25, -130.0), 2.0);
        close(codes.rounded(0.25, 127.5), 0.75);
    }

    #[test]
    fn an_input_errs_by_half_a_step_and_its_division() {
        let images = Tensor::new(&[2], vec![64.0f32, 300.0]).unwrap();
        let two = Scale::new(2.0).unwrap();
        let bound = input(&images, two, Codes::int8(Rounding::TiesToEven)).bound;
        let inside = 2.0 * (0.5 + U * 32.0);
        assert!((inside..inside * (1.0 + U / 4096.0)).contains(&bound.data()[0]));
        let clamped = 2.0 * (150.0 - 127.0);
        assert!((clamped..clamped * (1.0 + U / 4096.0)).contains(&bound.data()[1]));
    }

    /// W = 1 on one plane, as often as told.
    fn ones(layers: usize) -> Network<Weights<f32>> {
        let one = |i| Layer {
            name: format!("conv{i}"),
            op: Op::Conv2d {
                geometry: Conv2dGeometry::default(),
                weights: Weights {
                    weight: Tensor::full(&[1, 1, 1, 1], 1.0).unwrap(),
                    bias: None,
                },
            },
        };
        let input = InputSpec {
            shape: [1, 1, 1],
            mean: 0.0,
            std: 1.0,
        };
        Network::new("ones", input, (0..layers).map(one).collect()).unwrap()
    }

    #[test]
    fn a_thousand_layers_are_bounded_and_no_chain_is_longer_than_it_is_taken_for() {
        const { assert!(MOST_LAYERS >= 1000) };
        // S_Oi is 2i + 1 scales, each a rounding of the product at most; v divides by it.
        const { assert!(2 * MOST_LAYERS + 2 <= CHAIN) };
        assert_eq!(check_depth(&ones(1)), Ok(()));
        assert_eq!(check_depth(&ones(MOST_LAYERS)), Ok(()));
        let deeper = check_depth(&ones(MOST_LAYERS + 1));
        assert!(matches!(deeper, Err(ShapeError::Geometry(_))), "{deeper:?}");
    }

    fn pool(kernel: [usize; 2]) -> AveragePoolGeometry {
        AveragePoolGeometry {
            window: PoolGeometry {
                kernel,
                stride: kernel,
                padding: [0, 0],
            },
            count_include_pad: true,
        }
    }

    /// A plane of these bounds, on codes of this step.
    fn plane(shape: [usize; 2], bounds: Vec<f64>, step: f64) -> LayerBound {
        let bound = Tensor::new(&[1, 1, shape[0], shape[1]], bounds).unwrap();
        LayerBound {
            real: bound.map(|_| 0.0),
            real_error: bound.map(|_| 0.0),
            bound,
            step,
        }
    }

    #[rstest]
    #[case(Rounding::TiesToEven, 3.0 + 4.0 / 2.0)]
    #[case(Rounding::Floor, 3.0 + 4.0)]
    fn a_mean_errs_by_the_mean_of_the_errors_and_its_rounding(
        #[case] rounding: Rounding,
        #[case] expected: f64,
    ) {
        let input = plane([2, 2], vec![1.0, 2.0, 3.0, 6.0], 4.0);
        let op = Op::AveragePool2d(pool([2, 2]));
        let output = unweighted(&op, &input, rounding).unwrap();
        let bound = output.bound.data();
        assert!((expected..expected * (1.0 + 64.0 * U64)).contains(&bound[0]));
        assert_eq!(output.step, 4.0);
    }

    #[test]
    fn a_mean_of_bounds_is_no_less_than_the_exact_mean() {
        // 1 + 1023u in f64, summed in this order, is 1: every u is lost.
        let mut bounds = vec![U64; 1024];
        bounds[0] = 1.0;
        let input = plane([32, 32], bounds, U64 / 4096.0);
        let mean = averaged(&input, &pool([32, 32]), Rounding::TiesToEven).unwrap();
        assert!(mean.data()[0] * 1024.0 >= 1.0 + 1024.0 * U64);
    }
}
