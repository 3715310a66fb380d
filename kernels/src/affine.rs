//! Runs a network of any scheme, 1 to 16 bits, on one instruction set's kernels.
//!
//! Each code is that of [`AffineNetwork::trace`]. Layer by layer the plan takes the narrowest
//! sums that hold the accumulators:
//!
//! | codes of the input | weights less their zero point | accumulators | sums |
//! |---|---|---|---|
//! | a byte | s8 | int32 | [`Sums::Bytes`] |
//! | a byte or a word | s16 | int32 | [`Sums::Words`] |
//! | a byte or a word | digits of one word | int32 and what is added to it | [`Sums::Words`] |
//! | a byte or a word | digits of several | the same, several times | [`Sums::Split`] |
//!
//! A network with a layer that none of these holds runs in floats ([`Sums::Floats`]).

mod finish;
mod form;
mod plan;
mod session;
mod words;

use std::sync::{Mutex, PoisonError};

use quant::affine::{self, AffineNetwork, ExactInFloats};
use rayon::prelude::*;
use reference::{ShapeError, Tensor};

use crate::Kernels;
use plan::Plan;
use session::Session;

/// What a weighted layer's accumulators are summed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sums {
    /// u8 times s8, in int32.
    Bytes,
    /// s16 times s16, in one int32; what makes more of it, a bias say, is added in float64.
    Words,
    /// The same, several times: weights in digits.
    Split {
        /// How many.
        parts: usize,
    },
    /// [`ExactInFloats`], as all layers of the network then.
    Floats,
}

/// How a weighted layer runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LayerPath {
    /// What its accumulators are summed in.
    pub sums: Sums,
    /// Of a convolution of bytes: the name of its algorithm
    /// ([`Conv2d::algorithm`](crate::Conv2d::algorithm)).
    pub algorithm: Option<&'static str>,
    /// Whether its codes are made in float32 by certified constants; else by eq. 22 itself.
    pub certified: bool,
}

/// A network of any scheme, packed for one kernel set.
#[derive(Debug)]
pub struct AffineExecutor {
    path: Path,
}

#[derive(Debug)]
enum Path {
    Kernels {
        plan: Plan,
        /// Memory that no thread works in at the moment.
        idle: Mutex<Vec<Session>>,
    },
    Floats {
        executor: ExactInFloats,
        layers: usize,
    },
}

impl AffineExecutor {
    /// Packs the network's weights.
    pub fn new(network: AffineNetwork, kernels: Kernels) -> Self {
        let path = match Plan::new(&network, kernels) {
            Some(plan) => Path::Kernels {
                plan,
                idle: Mutex::default(),
            },
            None => Path::Floats {
                layers: network.network().weighted().count(),
                executor: ExactInFloats::new(network),
            },
        };
        Self { path }
    }

    /// How each weighted layer runs.
    pub fn layers(&self) -> Vec<LayerPath> {
        match &self.path {
            Path::Kernels { plan, .. } => plan.paths(),
            Path::Floats { layers, .. } => {
                let floats = LayerPath {
                    sums: Sums::Floats,
                    algorithm: None,
                    certified: false,
                };
                vec![floats; *layers]
            }
        }
    }

    /// The codes of the last layer less their zero point, for normalized images
    /// [N, C, H, W].
    ///
    /// # Errors
    /// Images that are not of the network's input shape.
    pub fn forward(&self, images: &Tensor<f32>) -> Result<Tensor<f32>, ShapeError> {
        let (plan, idle) = match &self.path {
            Path::Kernels { plan, idle } => (plan, idle),
            Path::Floats { executor, .. } => return executor.forward(images),
        };
        plan.check(images.shape())?;
        let items = images.shape()[0];
        let [input, output] = plan.lengths();
        let mut scores = vec![0.0; items * output];
        // Whole blocks, one thread each.
        (images.data().par_chunks(plan.block * input))
            .zip(scores.par_chunks_mut(plan.block * output))
            .for_each(|(images, scores)| {
                let taken = lock(idle).pop();
                let mut session = taken.unwrap_or_else(|| Session::new(plan));
                session.run(plan, images, scores);
                lock(idle).push(session);
            });
        Tensor::new(&[&[items], plan.output_shape()].concat(), scores)
    }
}

/// A panic elsewhere leaves whole sessions: each is overwritten when it is used.
fn lock(idle: &Mutex<Vec<Session>>) -> std::sync::MutexGuard<'_, Vec<Session>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

impl affine::Executor for AffineExecutor {
    fn scores(&self, images: &Tensor<f32>) -> Result<Tensor<f32>, ShapeError> {
        self.forward(images)
    }
}
