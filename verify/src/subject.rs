//! What is under test: Karat's own reading of a network.

use fixtures::{ImageSet, NetworkFixture};
use quant::calibrator::{Ranges, calibrate};
use quant::{QuantError, QuantNetwork, Rounding};
use reference::{Network, Weights};

/// The float network, its ranges, and the integer network made from them. A test
/// breaks one of them to see the harness fail.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The float side.
    pub float: Network<Weights<f32>>,
    /// Observed by Karat over the calibration images.
    pub ranges: Ranges,
    /// Quantized by Karat from these ranges.
    pub integer: QuantNetwork,
}

impl Subject {
    /// Calibrates and quantizes the network with Karat's own formulas: nothing is taken
    /// from PyTorch but the trained parameters and the images.
    ///
    /// # Errors
    /// The network cannot be quantized.
    pub fn new(fixture: &NetworkFixture, images: &ImageSet) -> Result<Self, QuantError> {
        let float = fixture.network.clone();
        let ranges = calibrate(&float, &float.input().normalize(&images.calibration))?;
        let integer = QuantNetwork::quantize(&float, &ranges, Rounding::TiesToEven)?;
        Ok(Self {
            float,
            ranges,
            integer,
        })
    }
}
