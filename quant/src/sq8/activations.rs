//! Which rule makes the codes of which activation.

use reference::{Layer, Network, Op, PoolGeometry, Weights};

use super::{NodeRanges, Sq8Options, Sq8Params};
use crate::QuantError;
use crate::observers::Range;

/// The codes of the input and of every weighted layer's output.
///
/// - A layer with a ReLU behind it has the ReLU's codes, over [0, the ReLU's largest value]: with
///   a zero point if its own output would have had a non-zero one, else without.
/// - A layer without has codes with a zero point, where outputs may have one.
/// - Without a zero point are: the input, unless its least value is exactly 0; the network's
///   output; whatever a padded convolution is given.
/// - Pools and reshapes keep the codes that they are given.
#[derive(Clone, Debug, PartialEq)]
pub struct Activations {
    /// Of the input.
    pub input: Sq8Params,
    /// Of every weighted layer's output, in order, and whether a ReLU is part of it.
    pub outputs: Vec<(Sq8Params, bool)>,
}

impl Activations {
    /// Of a network whose nodes have these ranges.
    ///
    /// # Errors
    /// Ranges that are not one for each layer, a range without a scale, or an order of layers
    /// whose codes are not known.
    pub fn new(
        network: &Network<Weights<f32>>,
        ranges: &NodeRanges,
        options: &Sq8Options,
    ) -> Result<Self, QuantError> {
        let layers = network.layers();
        if layers.len() != ranges.outputs.len() {
            return Err(QuantError::Ranges {
                expected: layers.len(),
                got: ranges.outputs.len(),
            });
        }
        let input = match ranges.input.low == 0.0 && !feeds_padded(layers) {
            true => Sq8Params::asymmetric(ranges.input),
            false => Sq8Params::symmetric(ranges.input),
        };
        let outputs = (layers.iter().enumerate())
            .filter(|(_, layer)| layer.weights().is_some())
            .map(|(at, layer)| {
                output(layers, at, &ranges.outputs, options)
                    .map_err(|error| error.in_layer(&layer.name))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            input: input.map_err(|error| error.in_layer("input"))?,
            outputs,
        })
    }
}

/// Of the weighted layer at `at`, with what is fused into it.
fn output(
    layers: &[Layer<Weights<f32>>],
    at: usize,
    ranges: &[Range],
    options: &Sq8Options,
) -> Result<(Sq8Params, bool), QuantError> {
    let behind = &layers[at + 1..];
    let weighted = behind.iter().position(|layer| layer.weights().is_some());
    let tail = &behind[..weighted.unwrap_or(behind.len())];
    let relu = tail.iter().position(|layer| matches!(layer.op, Op::Relu));
    check(tail, relu)?;
    let may_shift = options.asymmetric_outputs && weighted.is_some() && !feeds_padded(behind);
    let own = ranges[at];
    let range = match relu {
        // A max-pool is moved before the ReLU, so the ReLU is seen behind it.
        Some(relu) => {
            let pools = (tail[relu + 1..].iter())
                .take_while(|layer| matches!(layer.op, Op::MaxPool2d(_)))
                .count();
            Range {
                low: 0.0,
                high: ranges[at + 1 + relu + pools].high,
            }
        }
        None => own,
    };
    let shifted = match relu {
        Some(_) => options.asymmetric_outputs && Sq8Params::asymmetric(own)?.zero_point() != 0,
        None => true,
    };
    let params = match may_shift && shifted {
        true => Sq8Params::asymmetric(range)?,
        false => Sq8Params::symmetric(range)?,
    };
    Ok((params, relu.is_some()))
}

/// Whether the next weighted layer is a convolution with padding.
fn feeds_padded(layers: &[Layer<Weights<f32>>]) -> bool {
    let next = layers.iter().find(|layer| layer.weights().is_some());
    matches!(next.map(|layer| &layer.op), Some(Op::Conv2d { geometry, .. }) if geometry.padding != [0, 0])
}

/// Whether the layers behind a weighted one have a known arithmetic.
fn check(tail: &[Layer<Weights<f32>>], relu: Option<usize>) -> Result<(), QuantError> {
    let padded = |window: &PoolGeometry| window.padding != [0, 0];
    for (at, layer) in tail.iter().enumerate() {
        let why = match &layer.op {
            Op::MaxPool2d(window) if padded(window) => {
                "SQ8 compares the padding of a max-pool as code 0, whatever stands for 0; use no padding"
            }
            Op::AveragePool2d(pool) if padded(&pool.window) => {
                "how SQ8 averages over padding is not known; use no padding"
            }
            Op::AveragePool2d(_) if relu.is_some_and(|relu| at < relu) => {
                "an average pool before the ReLU would average what SQ8 has cut off; put it behind"
            }
            _ => continue,
        };
        return Err(QuantError::Unsupported(why).in_layer(&layer.name));
    }
    Ok(())
}
