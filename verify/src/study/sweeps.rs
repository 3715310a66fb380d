//! Accuracy against ranges and against bits.

use quant::QuantError;
use quant::observers::Observer;
use quant::scheme::{Scheme, Symmetry};
use rayon::prelude::*;
use serde::Serialize;

use super::{Accuracy, Bench};

/// The bit widths.
pub(super) const BITS: std::ops::RangeInclusive<u32> = 1..=16;

/// Int8 with one rule for ranges.
#[derive(Clone, Debug, Serialize)]
pub struct RangeRow {
    /// What makes the range.
    pub range: String,
    /// Weights at this range, the rest float.
    pub weights_only: Accuracy,
    /// Weights at this range, activations at max-abs.
    pub integer: Accuracy,
    /// Weights and activations at this range.
    pub everything: Accuracy,
}

/// So many bits for weights and activations.
#[derive(Clone, Debug, Serialize)]
pub struct BitsRow {
    /// 1 to 16.
    pub bits: u32,
    /// Signed codes about 0.
    pub symmetric: BothExecutors,
    /// Codes with a zero point; activations from 0, observed after ReLU.
    pub asymmetric: BothExecutors,
}

/// The two ways to run a quantized network.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct BothExecutors {
    /// Integers from the input to the output.
    pub integer: Accuracy,
    /// Made real again after every layer.
    pub simulated: Accuracy,
}

/// The rules that are compared, widest first.
pub(super) fn observers() -> Vec<Observer> {
    let sigma = |n| Observer::NSigma { n, capped: false };
    vec![
        Observer::MinMax,
        Observer::Percentile(0.9999),
        Observer::Percentile(0.999),
        Observer::Percentile(0.99),
        Observer::LeastSquares,
        Observer::Entropy,
        sigma(4.0),
        sigma(3.0),
        sigma(2.0),
        sigma(1.0),
    ]
}

/// Symmetric int8 with these ranges.
pub(super) fn int8(weights: Observer, activations: Observer) -> Scheme {
    let mut scheme = Scheme::uniform(8, Symmetry::Symmetric);
    scheme.weights.observer = weights;
    scheme.activations.observer = activations;
    scheme
}

impl Bench {
    pub(super) fn ranges(&self) -> Result<Vec<RangeRow>, QuantError> {
        (observers().into_par_iter())
            .map(|observer| {
                let network = self.quantized(int8(observer, Observer::MinMax))?;
                Ok(RangeRow {
                    range: observer.name(),
                    weights_only: self.weights_only(&network)?,
                    integer: self.integer(&network)?,
                    everything: self.integer(&self.quantized(int8(observer, observer))?)?,
                })
            })
            .collect()
    }

    pub(super) fn bits(&self, step: &(dyn Fn(&str) + Sync)) -> Result<Vec<BitsRow>, QuantError> {
        BITS.map(|bits| {
            let both = |symmetry| {
                let network = self.quantized(Scheme::uniform(bits, symmetry))?;
                Ok::<_, QuantError>(BothExecutors {
                    integer: self.integer(&network)?,
                    simulated: self.simulated(&network)?,
                })
            };
            step(&format!("{bits} bits"));
            let (symmetric, asymmetric) =
                rayon::join(|| both(Symmetry::Symmetric), || both(Symmetry::Asymmetric));
            Ok(BitsRow {
                bits,
                symmetric: symmetric?,
                asymmetric: asymmetric?,
            })
        })
        .collect()
    }
}
