//! Scales and zero points of the int8 networks.

use fixtures::NetworkFixture;
use quant::QuantError;
use quant::formulas::conventions::Convention;
use quant::scheme::{QuantParams, Scheme, Symmetry};
use serde::Serialize;

use super::Bench;

/// The scales of one layer of the int8 network.
#[derive(Clone, Debug, Serialize)]
pub struct ScaleRow {
    /// `input`, or the layer.
    pub layer: String,
    /// s_W, of a weighted layer.
    pub weight: Option<f64>,
    /// s_O that divides an accumulator.
    pub relative: Option<f64>,
    /// n_W = 1/s_W, and n_I of the input.
    pub multiply_weight: f64,
    /// n_O = 1/s_O.
    pub multiply: Option<f64>,
    /// S_O, the real value of one output code (s_I of the input).
    pub absolute: f64,
    /// The least accumulator width in bits.
    pub accumulator_bits: Option<u32>,
}

/// The scales and zero points of one layer of the asymmetric int8 network.
#[derive(Clone, Debug, Serialize)]
pub struct ZeroPointRow {
    /// `input`, or the layer.
    pub layer: String,
    /// s_W and z_W, of a weighted layer.
    pub weight: Option<(f64, i32)>,
    /// S_O and z_O (s_I and z_I of the input).
    pub output: (f64, i32),
    /// M = s_W·S_I/S_O.
    pub multiplier: Option<f64>,
    /// The least accumulator width in bits.
    pub accumulator_bits: Option<u32>,
}

impl Bench {
    pub(super) fn zero_points(&self) -> Result<Vec<ZeroPointRow>, QuantError> {
        let network = self.quantized(Scheme::uniform(8, Symmetry::Asymmetric))?;
        let of = |params: &QuantParams| (params.scale.wide(), params.zero_point);
        let input = ZeroPointRow {
            layer: "input".into(),
            weight: None,
            output: of(network.input()),
            multiplier: None,
            accumulator_bits: None,
        };
        let layers =
            (network.network().weighted().zip(network.reach())).map(|((name, weights), &reach)| {
                ZeroPointRow {
                    layer: name.to_owned(),
                    weight: Some(of(weights.channel(0))),
                    output: of(&weights.output),
                    multiplier: Some(weights.multipliers[0]),
                    // A sign and the bits of the largest magnitude.
                    accumulator_bits: Some(i64::BITS - reach.leading_zeros() + 1),
                }
            });
        Ok([input].into_iter().chain(layers).collect())
    }
}

/// The scales of the committed int8 network.
pub(super) fn scales(fixture: &NetworkFixture) -> Vec<ScaleRow> {
    let quant = &fixture.int8.network;
    let [relative, multiply, absolute] =
        Convention::ALL.map(|convention| quant.scales().to(convention));
    let input = ScaleRow {
        layer: "input".into(),
        weight: None,
        relative: None,
        multiply_weight: multiply.input,
        multiply: None,
        absolute: absolute.input,
        accumulator_bits: None,
    };
    let layers = quant
        .network()
        .weighted()
        .enumerate()
        .map(|(i, (name, _))| ScaleRow {
            layer: name.to_owned(),
            weight: Some(relative.layers[i].weight),
            relative: Some(relative.layers[i].output),
            multiply_weight: multiply.layers[i].weight,
            multiply: Some(multiply.layers[i].output),
            absolute: absolute.layers[i].output,
            accumulator_bits: Some(quant.accumulators()[i].bits),
        });
    [input].into_iter().chain(layers).collect()
}
