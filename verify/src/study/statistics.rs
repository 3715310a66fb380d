//! What values a tensor has.

use quant::observers::{Moments, moments};
use serde::Serialize;

use super::Bench;

/// One tensor's values.
#[derive(Clone, Debug, Serialize)]
pub struct TensorStatistics {
    /// The layer, or `all`; of activations also whether before or after ReLU.
    pub name: String,
    /// How many values.
    pub count: usize,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// μ.
    pub mean: f64,
    /// σ, with n − 1.
    pub deviation: f64,
    /// The fraction of the values that are 0.
    pub zero: f64,
    /// What lies outside 1, 2 and 3 σ.
    pub outside: Vec<Outside>,
    /// Counts in equal bins from min to max.
    pub histogram: Vec<usize>,
}

/// The n·σ range about the mean.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Outside {
    /// n.
    pub n: u32,
    /// μ − nσ.
    pub low: f64,
    /// μ + nσ.
    pub high: f64,
    /// The fraction of the values outside.
    pub fraction: f64,
}

const BINS: usize = 64;

/// The end of the name of a layer's outputs after its ReLU.
pub const AFTER_RELU: &str = ", after ReLU";

impl TensorStatistics {
    fn of(name: impl Into<String>, values: &[f32]) -> Self {
        let wide = || values.iter().map(|&v| f64::from(v));
        let (min, max) = wide().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
            (low.min(v), high.max(v))
        });
        let Moments { mean, deviation } = moments(values);
        let outside = [1, 2, 3].map(|n| {
            let (low, high) = (
                mean - f64::from(n) * deviation,
                mean + f64::from(n) * deviation,
            );
            let count = wide().filter(|v| *v < low || *v > high).count();
            Outside {
                n,
                low,
                high,
                fraction: count as f64 / values.len().max(1) as f64,
            }
        });
        let zeros = values.iter().filter(|v| **v == 0.0).count();
        let mut histogram = vec![0; BINS];
        for v in wide() {
            let bin = ((v - min) / (max - min) * BINS as f64) as usize;
            histogram[bin.min(BINS - 1)] += 1;
        }
        Self {
            name: name.into(),
            count: values.len(),
            min,
            max,
            mean,
            deviation,
            zero: zeros as f64 / values.len().max(1) as f64,
            outside: outside.to_vec(),
            histogram,
        }
    }
}

impl Bench {
    pub(super) fn weight_statistics(&self) -> Vec<TensorStatistics> {
        let layers = || {
            self.float
                .weighted()
                .map(|(name, w)| (name, w.weight.data()))
        };
        let all: Vec<f32> = layers().flat_map(|(_, values)| values.to_vec()).collect();
        let mut statistics: Vec<_> = layers()
            .map(|(name, values)| TensorStatistics::of(name, values))
            .collect();
        statistics.push(TensorStatistics::of("all", &all));
        statistics
    }

    pub(super) fn activation_statistics(&self) -> Vec<TensorStatistics> {
        let mut statistics = vec![TensorStatistics::of("input", self.calibration.input())];
        for (name, values, relu) in self.calibration.outputs() {
            statistics.push(TensorStatistics::of(name, values));
            if relu {
                let rectified: Vec<f32> = values.iter().map(|v| v.max(0.0)).collect();
                statistics.push(TensorStatistics::of(
                    format!("{name}{AFTER_RELU}"),
                    &rectified,
                ));
            }
        }
        statistics
    }
}

#[cfg(test)]
mod tests {
    use super::TensorStatistics;

    #[test]
    fn fractions_and_bins_count_every_value() {
        let values: Vec<f32> = (0..128).map(|i| i as f32).collect();
        let of = TensorStatistics::of("x", &values);
        assert_eq!((of.min, of.max, of.mean), (0.0, 127.0, 63.5));
        assert_eq!(of.histogram.iter().sum::<usize>(), 128);
        assert_eq!((of.histogram[0], of.zero), (2, 1.0 / 128.0));
        // σ = 37.09…: 27 values lie below 26.4 and as many above 100.6.
        assert_eq!(of.outside[0].fraction, 54.0 / 128.0);
        assert_eq!(of.outside[1].fraction, 0.0);
        let constant = TensorStatistics::of("x", &[2.0; 5]);
        assert_eq!(constant.deviation, 0.0);
        assert_eq!(constant.histogram.iter().sum::<usize>(), 5);
    }
}
