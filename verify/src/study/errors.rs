//! Where clipping hurts and where rounding hurts.

use quant::QuantError;
use quant::observers::Observer;
use quant::scheme::{Grid, QuantParams, Symmetry};
use rayon::prelude::*;
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
    /// The rule itself.
    #[serde(skip)]
    pub observer: Observer,
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
            Observer::Entropy,
            sigma(3.0),
            sigma(2.0),
            sigma(1.0),
        ];
        let weights = (self.float.weighted()).map(|(name, w)| (name, "weights", w.weight.data()));
        let input = ("input", "activations", self.calibration.input());
        let outputs =
            (self.calibration.outputs()).map(|(name, values, _)| (name, "activations", values));
        let tensors: Vec<_> = weights.chain([input]).chain(outputs).collect();
        let rows = tensors.into_par_iter().map(|(layer, tensor, values)| {
            (observers.iter())
                .map(|&observer| {
                    let range = observer.range(values, INT8, Symmetry::Symmetric)?;
                    let params = QuantParams::of_range(range, INT8, Symmetry::Symmetric)?;
                    Ok(row(layer, tensor, observer, values, &params))
                })
                .collect::<Result<Vec<_>, QuantError>>()
        });
        Ok(rows.collect::<Result<Vec<_>, _>>()?.concat())
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
        let error = wide - f64::from(params.round_trip(x));
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
        observer,
        sqnr: decibel(clipped + rounded),
        clipping: decibel(clipped),
        rounding: decibel(rounded),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quant::observers::Range;

    /// s = 1: of 0.5, 100 and 130 the first is rounded by a half, the last clipped by 3.
    #[test]
    fn a_value_beyond_the_codes_is_clipped_and_others_are_rounded() {
        let range = Range {
            low: -127.0,
            high: 127.0,
        };
        let params = QuantParams::of_range(range, INT8, Symmetry::Symmetric).unwrap();
        let of = |values: &[f32]| row("fc", "weights", Observer::MinMax, values, &params);
        let decibel = |noise: f64| 10.0 * ((0.25 + 1e4 + 16900.0) / noise).log10();
        let found = of(&[0.5, 100.0, 130.0]);
        assert_eq!(found.rounding, Some(decibel(0.25)));
        assert_eq!(found.clipping, Some(decibel(9.0)));
        assert_eq!(found.sqnr, Some(decibel(9.25)));
        let exact = of(&[1.0, -128.0]);
        assert_eq!(
            (exact.sqnr, exact.clipping, exact.rounding),
            (None, None, None)
        );
        // −128 is the lowest code, and what is below it is clipped.
        assert!(of(&[-128.4]).clipping.is_some());
    }
}
