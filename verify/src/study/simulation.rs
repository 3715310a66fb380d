//! The simulated network beside PyTorch's.

use fixtures::scheme::SchemeFixture;
use quant::QuantError;
use quant::affine::Simulation;
use reference::Tensor;
use serde::Serialize;

use super::Bench;

/// One scheme whose simulated codes are committed.
#[derive(Clone, Debug, Serialize)]
pub struct SimulationRow {
    /// The scheme.
    pub scheme: String,
    /// Codes of weighted layers that were compared.
    pub compared: usize,
    /// Those that are not PyTorch's.
    pub differences: Vec<DifferenceRow>,
}

/// A code that is not PyTorch's.
#[derive(Clone, Debug, Serialize)]
pub struct DifferenceRow {
    /// The layer.
    pub layer: String,
    /// Where in its output.
    pub position: Vec<usize>,
    /// Karat's.
    pub code: i32,
    /// PyTorch's.
    pub expected: i32,
    /// Steps from the value to the rounding boundary.
    pub to_boundary: f64,
    /// How many there may be (float32, sums in another order).
    pub allowed: f64,
    /// Whether that is the reason.
    pub explained: bool,
}

impl Bench {
    pub(super) fn simulation(
        &self,
        images: &Tensor<f32>,
        schemes: &[SchemeFixture],
    ) -> Result<Vec<SimulationRow>, QuantError> {
        let stored = schemes.iter().filter(|scheme| !scheme.simulated.is_empty());
        stored.map(|golden| self.compare(images, golden)).collect()
    }

    fn compare(
        &self,
        images: &Tensor<f32>,
        golden: &SchemeFixture,
    ) -> Result<SimulationRow, QuantError> {
        let simulation = Simulation::new(&self.float, &self.quantized(golden.scheme)?)?;
        let images = images.head(golden.simulated[0].shape()[0]);
        let differences = simulation.differences(&images, &golden.simulated)?;
        let codes = golden.simulated.iter().map(|codes| codes.data().len());
        Ok(SimulationRow {
            scheme: golden.name.clone(),
            compared: codes.sum(),
            differences: (differences.into_iter())
                .map(|found| DifferenceRow {
                    explained: found.is_explained(),
                    layer: found.layer,
                    position: found.position,
                    code: found.code,
                    expected: found.expected,
                    to_boundary: found.to_boundary,
                    allowed: found.allowed,
                })
                .collect(),
        })
    }
}
