//! Runs a quantized network on one kernel set.

use quant::accumulator::LARGEST_CODE;
use quant::golden::{LayerTrace, Trace};
use quant::{QuantError, QuantNetwork, QuantWeights, Scale};
use rayon::prelude::*;
use reference::{Op, ShapeError, Tensor};

use crate::Kernels;
use crate::packing::{AveragePoolPlan, PackedConv2d, PackedLinear, PoolPlan};

/// A quantized network, packed for one kernel set.
#[derive(Clone, Debug)]
pub struct Executor<'a> {
    network: &'a QuantNetwork,
    kernels: Kernels,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Conv2d(PackedConv2d, Scale),
    Linear(PackedLinear, Scale),
    Relu,
    MaxPool2d(PoolPlan),
    AveragePool2d(AveragePoolPlan),
    /// The codes are already in this order.
    Flatten,
}

impl<'a> Executor<'a> {
    /// Packs the network's weights.
    ///
    /// # Errors
    /// An operator that has no integer form.
    pub fn new(network: &'a QuantNetwork, kernels: Kernels) -> Result<Self, QuantError> {
        let layers = network.network();
        let mut input = layers.input().shape.to_vec();
        let mut steps = Vec::with_capacity(layers.layers().len());
        let mut reached = network.accumulators().iter();
        for (layer, output) in layers.layers().iter().zip(layers.shapes()) {
            let reach = layer.weights().and_then(|_| reached.next());
            let largest_code = reach.map_or(LARGEST_CODE, |range| range.largest_code);
            let step =
                Step::new(&layer.op, &input, largest_code).map_err(|e| e.in_layer(&layer.name))?;
            steps.push(step);
            input = output[1..].to_vec();
        }
        Ok(Self {
            network,
            kernels,
            steps,
        })
    }

    /// The codes of the last layer for normalized images [N, C, H, W].
    ///
    /// # Errors
    /// Images that are not of the network's input shape.
    pub fn forward(&self, images: &Tensor<f32>) -> Result<Tensor<i8>, ShapeError> {
        self.check(images.shape())?;
        let input = self.network.input_codes(images);
        let outputs: Vec<Vec<i8>> = (0..input.shape()[0])
            .into_par_iter()
            .map(|n| {
                let mut codes = input.item(n).to_vec();
                for index in 0..self.steps.len() {
                    (_, codes) = self.step(index, codes);
                }
                codes
            })
            .collect();
        let shape = self.output_shape(self.steps.len(), images.shape()[0]);
        Tensor::new(&shape, outputs.concat())
    }

    /// Every accumulator and code for normalized images [N, C, H, W], as the golden
    /// interpreter traces them.
    ///
    /// # Errors
    /// Images that are not of the network's input shape.
    pub fn trace(&self, images: &Tensor<f32>) -> Result<Trace, ShapeError> {
        self.trace_codes(self.network.input_codes(images))
    }

    /// The same for input codes [N, C, H, W].
    ///
    /// # Errors
    /// Codes that are not of the network's input shape.
    pub fn trace_codes(&self, input: Tensor<i8>) -> Result<Trace, ShapeError> {
        self.check(input.shape())?;
        let items = input.shape()[0];
        let mut codes: Vec<Vec<i8>> = (0..items).map(|n| input.item(n).to_vec()).collect();
        let mut layers = Vec::with_capacity(self.steps.len());
        for (index, layer) in self.network.network().layers().iter().enumerate() {
            let mut accumulators = Vec::new();
            for image in &mut codes {
                let (acc, next) = self.step(index, std::mem::take(image));
                accumulators.extend(acc.into_iter().flatten());
                *image = next;
            }
            let shape = self.output_shape(index + 1, items);
            layers.push(LayerTrace {
                name: layer.name.clone(),
                accumulators: (layer.weights().is_some())
                    .then(|| Tensor::new(&shape, accumulators))
                    .transpose()?,
                codes: Tensor::new(&shape, codes.concat())?,
            });
        }
        Ok(Trace { input, layers })
    }

    fn check(&self, images: &[usize]) -> Result<(), ShapeError> {
        let [c, h, w] = self.network.network().input().shape;
        match images {
            [_, rest @ ..] if rest == [c, h, w] => Ok(()),
            got => Err(ShapeError::Shapes {
                what: "images (N may be any)",
                expected: vec![1, c, h, w],
                got: got.to_vec(),
            }),
        }
    }

    /// The shape of `items` images after the first `steps` layers.
    fn output_shape(&self, steps: usize, items: usize) -> Vec<usize> {
        let network = self.network.network();
        let one_image = match steps.checked_sub(1) {
            Some(last) => network.shapes()[last][1..].to_vec(),
            None => network.input().shape.to_vec(),
        };
        [vec![items], one_image].concat()
    }

    /// One layer on one image: the accumulators of a weighted layer, and the codes.
    fn step(&self, index: usize, mut codes: Vec<i8>) -> (Option<Vec<i32>>, Vec<i8>) {
        let size: usize = self.output_shape(index + 1, 1).iter().product();
        let kernels = &self.kernels;
        let requantized = |acc: Vec<i32>, scale| {
            let mut out = vec![0; size];
            (kernels.requantize_s32)(&acc, scale, self.network.rounding(), &mut out);
            (Some(acc), out)
        };
        match &self.steps[index] {
            Step::Conv2d(layer, scale) => {
                let mut acc = vec![0; size];
                (kernels.conv2d_s8)(&codes, layer, &mut acc);
                requantized(acc, *scale)
            }
            Step::Linear(layer, scale) => {
                let mut acc = vec![0; size];
                (kernels.linear_s8)(&codes, layer, &mut acc);
                requantized(acc, *scale)
            }
            Step::Relu => {
                (kernels.relu_s8)(&mut codes);
                (None, codes)
            }
            Step::MaxPool2d(plan) => {
                let mut out = vec![0; size];
                (kernels.max_pool2d_s8)(&codes, plan, &mut out);
                (None, out)
            }
            Step::AveragePool2d(plan) => {
                let mut out = vec![0; size];
                (kernels.average_pool2d_s8)(&codes, plan, self.network.rounding(), &mut out);
                (None, out)
            }
            Step::Flatten => (None, codes),
        }
    }
}

impl Step {
    /// `input` is the shape of one image at this layer, without N; `largest_code` the
    /// largest size of its codes.
    fn new(op: &Op<QuantWeights>, input: &[usize], largest_code: i64) -> Result<Self, QuantError> {
        let maps = || reference::geometry::rank::<3>("input maps (CHW)", input);
        Ok(match op {
            Op::Conv2d { geometry, weights } => Self::Conv2d(
                PackedConv2d::new(
                    &weights.weight,
                    weights.bias.as_deref(),
                    geometry,
                    maps()?,
                    largest_code,
                )?,
                weights.output_scale,
            ),
            Op::Linear { weights } => Self::Linear(
                PackedLinear::new(&weights.weight, weights.bias.as_deref(), largest_code)?,
                weights.output_scale,
            ),
            Op::Relu => Self::Relu,
            Op::MaxPool2d(geometry) => Self::MaxPool2d(PoolPlan::new(geometry, maps()?)?),
            Op::AveragePool2d(geometry) => {
                Self::AveragePool2d(AveragePoolPlan::new(geometry, maps()?)?)
            }
            Op::Flatten => Self::Flatten,
            Op::LogSoftmax => {
                return Err(QuantError::Unsupported("log-softmax has no integer form"));
            }
        })
    }
}
