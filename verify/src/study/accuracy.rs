//! How many test images are classified rightly.

use std::sync::{MutexGuard, PoisonError};

use kernels::FloatExecutor;
use quant::QuantError;
use quant::affine::{AffineNetwork, Simulation};
use quant::scheme::Scheme;
use rayon::prelude::*;
use reference::{Network, Tensor, Weights};
use serde::Serialize;

use super::Bench;
use crate::claims::argmax;

/// Right answers of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Accuracy {
    /// Images whose label was predicted.
    pub right: usize,
    /// All images.
    pub of: usize,
}

impl Accuracy {
    /// In percent.
    pub fn percent(&self) -> f64 {
        self.right as f64 / self.of.max(1) as f64 * 100.0
    }

    /// One standard error of it, in points: how far it moves with other images.
    pub fn standard_error(&self) -> f64 {
        let p = self.percent() / 100.0;
        (p * (1.0 - p) / self.of.max(1) as f64).sqrt() * 100.0
    }
}

/// Images that go through a network at once: enough for every core, few enough for caches, and
/// full vectors.
const BATCH: usize = 80;

impl Bench {
    /// Of anything that scores images.
    pub(super) fn accuracy(
        &self,
        scores: impl Fn(&Tensor<f32>) -> Result<Tensor<f32>, QuantError> + Sync,
    ) -> Result<Accuracy, QuantError> {
        let batches = (self.images.data()).par_chunks(BATCH * self.images.item_len());
        let right = batches
            .zip(self.labels.par_chunks(BATCH))
            .map(|(pixels, labels)| {
                let shape = [&[labels.len()], &self.images.shape()[1..]].concat();
                let scores = scores(&Tensor::new(&shape, pixels.to_vec())?)?;
                let predicted = argmax(&scores);
                Ok((predicted.iter().zip(labels))
                    .filter(|(a, b)| a == b)
                    .count())
            })
            .sum::<Result<usize, QuantError>>()?;
        Ok(Accuracy {
            right,
            of: self.labels.len(),
        })
    }

    pub(super) fn float_accuracy(&self) -> Result<Accuracy, QuantError> {
        self.accuracy_of(&self.float)
    }

    /// Of a float network.
    pub(super) fn accuracy_of(
        &self,
        network: &Network<Weights<f32>>,
    ) -> Result<Accuracy, QuantError> {
        let executor = FloatExecutor::new(network)?;
        self.accuracy(|images| Ok(executor.forward(images)?))
    }

    pub(super) fn quantized(&self, scheme: Scheme) -> Result<AffineNetwork, QuantError> {
        AffineNetwork::quantize(&self.float, &self.calibration.ranges(&scheme)?, scheme)
    }

    /// Of the integer network. Several sections ask it of networks that are equal in every code
    /// and scale, and so classify alike: these run once.
    pub(super) fn integer(&self, network: &AffineNetwork) -> Result<Accuracy, QuantError> {
        let same = |(run, _): &&(AffineNetwork, Accuracy)| run == network;
        if let Some((_, accuracy)) = self.runs().iter().find(same) {
            return Ok(*accuracy);
        }
        let executor = self.executor.prepare(network.clone());
        let accuracy = self.accuracy(|images| Ok(executor.scores(images)?))?;
        self.runs().push((network.clone(), accuracy));
        Ok(accuracy)
    }

    /// The integer networks that ran. A panic elsewhere leaves them as they are.
    fn runs(&self) -> MutexGuard<'_, Vec<(AffineNetwork, Accuracy)>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Of the network that dequantizes after every layer.
    pub(super) fn simulated(&self, network: &AffineNetwork) -> Result<Accuracy, QuantError> {
        let executor = FloatExecutor::simulating(&Simulation::new(&self.float, network)?)?;
        self.accuracy(|images| Ok(executor.forward(images)?))
    }

    /// Of the float network with quantized weights.
    pub(super) fn weights_only(&self, network: &AffineNetwork) -> Result<Accuracy, QuantError> {
        let simulation = Simulation::weights_only(&self.float, network)?;
        let executor = FloatExecutor::simulating(&simulation)?;
        self.accuracy(|images| Ok(executor.forward(images)?))
    }
}
