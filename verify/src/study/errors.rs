//! Where clipping hurts and where rounding hurts.

use quant::QuantError;
use quant::observers::Observer;
use quant::scheme::{Grid, QuantParams, Symmetry};
use serde::Serialize;

use super::Bench;

/// The signal-to-noise ratio of one tensor under one range, and of its two errors apart.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorRow {
    /// The layer.
    pub layer: String,
    /// `weights` or `activations`.
    pub tensor: &'static str,
    /// What makes the range.
    pub range: String,
    /// 10·log₁₀(Σx² / Σ(x − x̂)²), in dB; none without an error.
    pub sqnr: Option<f64>,
    /// The same of the values beyond the codes alone.
    pub clipping: Option<f64>,
    /// The same of those within.
    pub rounding: Option<f64>,
}

const INT8: Grid = Grid {
    bits: 8,
    signed: true,
    narrow: false,
};

impl Bench {
    pub(super) fn errors(&self) -> Result<Vec<ErrorRow>, QuantError> {
        let sigma = |n| Observer::NSigma {
            n,
            capped: self.cap_sigma,
        };
        let observers = [
            Observer::MinMax,
            Observer::LeastSquares,
            sigma(3.0),
            sigma(2.0),
            sigma(1.0),
        ];
        let mut rows = Vec::new();
        let weights = (self.float.weighted()).map(|(name, w)| (name, "weights", w.weight.data()));
        let activations =
            (self.calibration.outputs()).map(|(name, values, _)| (name, "activations", values));
        for (layer, tensor, values) in weights.chain(activations) {
            for observer in observers {
                let range = observer.range(values, INT8, Symmetry::Symmetric)?;
                let params = QuantParams::of_range(range, INT8, Symmetry::Symmetric)?;
                rows.push(row(layer, tensor, observer, values, &params));
            }
        }
        Ok(rows)
    }
}

fn row(
    layer: &str,
    tensor: &'static str,
    observer: Observer,
    values: &[f32],
    params: &QuantParams,
) -> ErrorRow {
    let [low, high] = params.reach().map(|steps| steps * params.scale.wide());
    let (mut signal, mut clipped, mut rounded) = (0.0, 0.0, 0.0);
    for &x in values {
        let wide = f64::from(x);
        let error = wide - f64::from(params.dequantize(params.quantize(x)));
        signal += wide * wide;
        match (low..=high).contains(&wide) {
            true => rounded += error * error,
            false => clipped += error * error,
        }
    }
    let decibel = |noise: f64| (noise > 0.0).then(|| 10.0 * (signal / noise).log10());
    ErrorRow {
        layer: layer.to_owned(),
        tensor,
        range: observer.name(),
        sqnr: decibel(clipped + rounded),
        clipping: decibel(clipped),
        rounding: decibel(rounded),
    }
}
