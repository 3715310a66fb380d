//! Runs a quantized network on one instruction set's kernels.

mod plan;
mod session;

use quant::golden::{LayerTrace, Trace};
use quant::{QuantError, QuantNetwork};
use rayon::prelude::*;
use reference::{ShapeError, Tensor};

use crate::Kernels;
use plan::{Fuse, Plan};
pub use session::{Order, Session};

/// A quantized network, packed for one kernel set.
#[derive(Clone, Debug)]
pub struct Executor<'a> {
    network: &'a QuantNetwork,
    kernels: Kernels,
    plan: Plan,
}

impl<'a> Executor<'a> {
    /// Packs the network's weights, layers fused where that gives the same codes: a
    /// convolution or linear layer with its requantization, ReLU and max-pool of 2 × 2.
    ///
    /// # Errors
    /// An operator that has no integer form.
    pub fn new(network: &'a QuantNetwork, kernels: Kernels) -> Result<Self, QuantError> {
        Ok(Self {
            network,
            kernels,
            plan: Plan::new(network, kernels, Fuse::Yes)?,
        })
    }

    /// What the steps are: the algorithm that each convolution's shape chose, and how
    /// accumulators become codes.
    pub fn algorithms(&self) -> Vec<&'static str> {
        self.plan
            .steps
            .iter()
            .flat_map(|step| step.kind.names())
            .collect()
    }

    /// Memory for one thread: made once, then [`Session::run`] allocates nothing.
    pub fn session(&self) -> Session<'_> {
        Session::new(&self.plan)
    }

    /// The codes of the last layer for input codes of any number of images, both in `order`,
    /// split over the sessions, one a thread of the pool; each image's codes are the same on any number.
    ///
    /// # Panics
    /// There is no session, or codes and outputs are not those of as many whole images.
    pub fn run(&self, sessions: &mut [Session<'_>], codes: &[i8], order: Order, out: &mut [i8]) {
        let images = self.plan.images(codes, out);
        let part = images.div_ceil(sessions.len()).max(1);
        let [input, output] = self.plan.lengths();
        if let [session] = sessions {
            return session.run(codes, order, out);
        }
        (sessions.par_iter_mut())
            .zip(codes.par_chunks(part * input))
            .zip(out.par_chunks_mut(part * output))
            .for_each(|((session, codes), out)| session.run(codes, order, out));
    }

    /// The codes of the last layer for normalized images [N, C, H, W].
    ///
    /// # Errors
    /// Images that are not of the network's input shape.
    pub fn forward(&self, images: &Tensor<f32>) -> Result<Tensor<i8>, ShapeError> {
        self.check(images.shape())?;
        self.forward_codes(&self.network.input_codes(images))
    }

    /// The same for input codes [N, C, H, W].
    ///
    /// # Errors
    /// Codes that are not of the network's input shape.
    pub fn forward_codes(&self, input: &Tensor<i8>) -> Result<Tensor<i8>, ShapeError> {
        self.check(input.shape())?;
        let images = input.shape()[0];
        let shape = self.output_shape(self.network.network().layers().len(), images);
        let [_, output] = self.plan.lengths();
        let mut out = vec![0; images * output];
        let threads = rayon::current_num_threads()
            .min(images.div_ceil(self.plan.block))
            .max(1);
        let mut sessions: Vec<Session<'_>> = (0..threads).map(|_| self.session()).collect();
        self.run(&mut sessions, input.data(), Order::Nchw, &mut out);
        Tensor::new(&shape, out)
    }

    /// Every accumulator and code for normalized images [N, C, H, W], as the golden
    /// interpreter traces them: each layer by itself, nothing fused.
    ///
    /// # Errors
    /// Images that are not of the network's input shape.
    pub fn trace(&self, images: &Tensor<f32>) -> Result<Trace, QuantError> {
        self.check(images.shape())?;
        self.trace_codes(self.network.input_codes(images))
    }

    /// The same for input codes [N, C, H, W].
    ///
    /// # Errors
    /// Codes that are not of the network's input shape.
    pub fn trace_codes(&self, input: Tensor<i8>) -> Result<Trace, QuantError> {
        self.check(input.shape())?;
        let images = input.shape()[0];
        let plan = Plan::new(self.network, self.kernels, Fuse::No)?;
        let mut session = Session::new(&plan);
        let layers = self.network.network().layers();
        let mut traced: Vec<(Option<Vec<i32>>, Vec<i8>)> = vec![(None, Vec::new()); layers.len()];
        for image in 0..images {
            session.trace(input.item(image), |layer, accumulators, codes| {
                let (all, all_codes) = &mut traced[layer];
                if let Some(accumulators) = accumulators {
                    all.get_or_insert_default().extend(accumulators);
                }
                all_codes.extend(codes);
            });
        }
        let layers = (layers.iter().zip(traced).enumerate())
            .map(|(index, (layer, (accumulators, codes)))| {
                let shape = self.output_shape(index + 1, images);
                let none = layer.weights().map(|_| Vec::new());
                Ok(LayerTrace {
                    name: layer.name.clone(),
                    accumulators: (accumulators.or(none))
                        .map(|values| Tensor::new(&shape, values))
                        .transpose()?,
                    codes: Tensor::new(&shape, codes)?,
                })
            })
            .collect::<Result<_, ShapeError>>()?;
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

    /// The shape of `items` images after the first `layers` layers.
    fn output_shape(&self, layers: usize, items: usize) -> Vec<usize> {
        let network = self.network.network();
        let one_image = match layers.checked_sub(1) {
            Some(last) => network.shapes()[last][1..].to_vec(),
            None => network.input().shape.to_vec(),
        };
        [vec![items], one_image].concat()
    }
}
