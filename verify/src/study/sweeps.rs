//! Accuracy against ranges and against bits.

use quant::QuantError;
use quant::observers::Observer;
use quant::scheme::{Granularity, Scheme, Symmetry};
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
    /// The rule itself.
    #[serde(skip)]
    pub observer: Observer,
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
    pub symmetric: Executed,
    /// Codes with a zero point; activations from 0, observed after ReLU.
    pub asymmetric: Executed,
}

/// One quantized network, run in each way.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Executed {
    /// The float network with the quantized weights.
    pub weights_only: Accuracy,
    /// Integers from the input to the output.
    pub integer: Accuracy,
    /// Made real again after every layer.
    pub simulated: Accuracy,
}

/// Rules for the range, and channels and zero points beside them.
pub(super) const RANGES: u64 = 12;

/// The rules that are compared, widest first.
fn observers(capped: bool) -> Vec<Observer> {
    let sigma = |n| Observer::NSigma { n, capped };
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
fn int8(weights: Observer, activations: Observer) -> Scheme {
    let mut scheme = Scheme::uniform(8, Symmetry::Symmetric);
    scheme.weights.observer = weights;
    scheme.activations.observer = activations;
    scheme
}

impl Bench {
    pub(super) fn ranges(&self, step: &(dyn Fn(&str) + Sync)) -> Result<Vec<RangeRow>, QuantError> {
        let symmetric = observers(self.cap_sigma).into_iter().map(|observer| {
            let weights = int8(observer, Observer::MinMax);
            (observer.name(), weights, int8(observer, observer))
        });
        let mut schemes: Vec<_> = symmetric.collect();
        let mut by_channel = int8(Observer::MinMax, Observer::MinMax);
        by_channel.weights.granularity = Granularity::PerChannel;
        let asymmetric = Scheme::uniform(8, Symmetry::Asymmetric);
        schemes.insert(1, ("max-abs, per channel".into(), by_channel, by_channel));
        schemes.insert(2, ("min–max, asymmetric".into(), asymmetric, asymmetric));
        schemes
            .into_par_iter()
            .map(|(range, weights, everything)| {
                let row = self.range_row(range, weights, everything);
                step("ranges");
                row
            })
            .collect()
    }

    fn range_row(
        &self,
        range: String,
        weights: Scheme,
        everything: Scheme,
    ) -> Result<RangeRow, QuantError> {
        let network = self.quantized(weights)?;
        let integer = self.integer(&network)?;
        Ok(RangeRow {
            range,
            observer: weights.weights.observer,
            weights_only: self.weights_only(&network)?,
            integer,
            everything: match everything == weights {
                true => integer,
                false => self.integer(&self.quantized(everything)?)?,
            },
        })
    }

    pub(super) fn bits(&self, step: &(dyn Fn(&str) + Sync)) -> Result<Vec<BitsRow>, QuantError> {
        (BITS.into_par_iter())
            .map(|bits| {
                let row = BitsRow {
                    bits,
                    symmetric: self.executed(Scheme::uniform(bits, Symmetry::Symmetric))?,
                    asymmetric: self.executed(Scheme::uniform(bits, Symmetry::Asymmetric))?,
                };
                step(&format!("{bits} bits"));
                Ok(row)
            })
            .collect()
    }

    fn executed(&self, scheme: Scheme) -> Result<Executed, QuantError> {
        let network = self.quantized(scheme)?;
        Ok(Executed {
            weights_only: self.weights_only(&network)?,
            integer: self.integer(&network)?,
            simulated: self.simulated(&network)?,
        })
    }
}
