//! Float32 networks, faster: every bit that `reference` gives.
//!
//! Each value is made by the same operations in the same order as there, so it has the same
//! bits. What is done at once are images: a vector holds the same value of several of them.
//!
//! ```text
//! images [N, C, H, W]              vectors of 4 lanes, one a value
//! n0: a0 b0 c0 …                   [a0 a1 a2 a3]
//! n1: a1 b1 c1 …          ->       [b0 b1 b2 b3]
//! n2: a2 b2 c2 …                   [c0 c1 c2 c3]
//! n3: a3 b3 c3 …                   …
//! ```
//!
//! A network is a list of `Step`s that does not depend on the vectors; [`crate::dispatch`]
//! chooses these.

mod codes;
mod lanes;
mod pad;
mod pool;
mod step;
mod sums;

use pulp::{Simd, WithSimd};
use quant::affine::Simulation;
use quant::scheme::QuantParams;
use reference::{Network, ShapeError, Tensor, Weights};

use crate::dispatch;
use step::Step;

/// A float network, made ready to run.
#[derive(Clone, Debug)]
pub struct FloatExecutor {
    /// [C, H, W].
    input: [usize; 3],
    /// Of one image's output, without N.
    output: Vec<usize>,
    steps: Vec<Step>,
}

impl FloatExecutor {
    /// Computes what `network.forward` computes.
    ///
    /// # Errors
    /// None for a network whose shapes fit.
    pub fn new(network: &Network<Weights<f32>>) -> Result<Self, ShapeError> {
        Self::with_codes(network, None, std::iter::empty())
    }

    /// Computes what `simulation.forward` computes.
    ///
    /// # Errors
    /// None for a network whose shapes fit.
    pub fn simulating(simulation: &Simulation) -> Result<Self, ShapeError> {
        Self::with_codes(
            simulation.network(),
            simulation.input_params(),
            simulation.outputs(),
        )
    }

    /// `outputs` are of the codes that the weighted layers' outputs pass through.
    fn with_codes<'a>(
        network: &Network<Weights<f32>>,
        input: Option<&QuantParams>,
        mut outputs: impl Iterator<Item = &'a QuantParams>,
    ) -> Result<Self, ShapeError> {
        let mut steps: Vec<Step> = input.copied().map(Step::RoundTrip).into_iter().collect();
        let mut shape = network.input().shape.to_vec();
        for (layer, output) in network.layers().iter().zip(network.shapes()) {
            steps.extend(Step::of(&layer.op, &shape)?);
            if layer.weights().is_some() {
                steps.extend(outputs.next().copied().map(Step::RoundTrip));
            }
            shape = output[1..].to_vec();
        }
        Ok(Self {
            input: network.input().shape,
            output: shape,
            steps,
        })
    }

    /// The output for normalized images [N, C, H, W].
    ///
    /// # Errors
    /// Images that are not of the network's input shape.
    pub fn forward(&self, images: &Tensor<f32>) -> Result<Tensor<f32>, ShapeError> {
        match images.shape() {
            [_, image @ ..] if image == self.input => {}
            got => {
                let [c, h, w] = self.input;
                return Err(ShapeError::Shapes {
                    what: "images (N may be any)",
                    expected: vec![1, c, h, w],
                    got: got.to_vec(),
                });
            }
        }
        let executor = self;
        dispatch::vectors().dispatch(Forward { executor, images })
    }
}

/// One run, compiled for each kind of vectors.
struct Forward<'a> {
    executor: &'a FloatExecutor,
    images: &'a Tensor<f32>,
}

impl WithSimd for Forward<'_> {
    type Output = Result<Tensor<f32>, ShapeError>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Self { executor, images } = self;
        let items = images.shape()[0];
        let output: usize = executor.output.iter().product();
        let mut data = vec![0.0; items * output];
        for first in (0..items).step_by(S::F32_LANES) {
            let lanes = S::F32_LANES.min(items - first);
            let mut values = lanes::pack(simd, images, first, lanes);
            for step in &executor.steps {
                values = step.run(simd, values)?;
            }
            lanes::unpack::<S>(&values, &mut data[first * output..][..lanes * output]);
        }
        Tensor::new(&[&[items], executor.output.as_slice()].concat(), data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulp::Arch;
    use reference::{Conv2dGeometry, InputSpec, Layer, Op};

    /// The portable vectors, and every kind that this CPU has.
    fn vectors() -> Vec<Arch> {
        let mut all = vec![Arch::Scalar];
        #[cfg(target_arch = "x86_64")]
        all.extend(pulp::x86::V3::try_new().map(Arch::V3));
        all.push(dispatch::vectors());
        all
    }

    #[test]
    fn all_vectors_give_the_same_bits() {
        let wave = |count: usize, by: f32| (0..count).map(|i| (i as f32 * by).sin()).collect();
        let weights = |shape: &[usize], by| Weights {
            weight: Tensor::new(shape, wave(shape.iter().product(), by)).unwrap(),
            bias: Some(wave(shape[0], by)),
        };
        let conv = Op::Conv2d {
            geometry: Conv2dGeometry {
                padding: [1, 1],
                ..Conv2dGeometry::default()
            },
            weights: weights(&[7, 2, 3, 3], 0.7),
        };
        let linear = Op::Linear {
            weights: weights(&[15, 7 * 5 * 5], 1.3),
        };
        let layers = [conv, Op::Relu, Op::Flatten, linear, Op::LogSoftmax];
        let layers = layers.into_iter().enumerate().map(|(i, op)| Layer {
            name: i.to_string(),
            op,
        });
        let input = InputSpec {
            shape: [2, 5, 5],
            mean: 0.0,
            std: 1.0,
        };
        let network = Network::new("small", input, layers.collect()).unwrap();
        let images = Tensor::new(&[21, 2, 5, 5], wave(21 * 50, 0.9)).unwrap();
        let expected = network.forward(&images).unwrap();
        let executor = &FloatExecutor::new(&network).unwrap();
        for arch in vectors() {
            let got = arch.dispatch(Forward {
                executor,
                images: &images,
            });
            assert_eq!(got.unwrap(), expected, "{arch:?}");
        }
    }
}
