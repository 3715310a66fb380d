//! The bound before any image is seen.

use reference::{Network, Op, Tensor, Weights};

use super::{Codes, check_depth, input, quantized_layer, rounding_step};
use crate::bounds::outward;
use crate::calibrator::Ranges;
use crate::{QuantError, QuantNetwork, Rounding, Scale};

/// For any input whose activations stay in the calibrated ranges, how far the real value
/// of a weighted layer's code may lie from its real output, at most. One number a weighted
/// layer, in real units; `ranges` are those the scales were made from.
///
/// # Errors
/// Ranges that are not one for each weighted layer, or more than a thousand of them.
pub fn a_priori(
    float: &Network<Weights<f32>>,
    quant: &QuantNetwork,
    ranges: &Ranges,
) -> Result<Vec<f64>, QuantError> {
    check_depth(float)?;
    let weighted = float.weighted().count();
    if ranges.outputs.len() != weighted {
        return Err(QuantError::Ranges {
            expected: weighted,
            got: ranges.outputs.len(),
        });
    }
    let wide = float.cast::<f64>();
    let mut ss: Vec<(Scale, Scale)> = Vec::new();
    let mut bounds = Vec::with_capacity(weighted);
    let extreme = Tensor::new(&[1], vec![ranges.input])?;
    let codes = Codes::int8(Rounding::TiesToEven);
    let first = input(&extreme, quant.input_scale(), codes);
    let (mut e, mut step) = (first.bound.data()[0], first.step);
    let mut largest_input = f64::from(ranges.input);
    let mut outputs = ranges.outputs.iter();
    for (layer, float) in quant.network().layers().iter().zip(wide.layers()) {
        match (layer.weights(), float.weights()) {
            (Some(codes), Some(weights)) => {
                let range = outputs.next().map_or(0.0, |&range| f64::from(range));
                let quantized = quantized_layer(codes, weights, quant, &ss);
                e = quantized.a_priori(e, largest_input, [-range, range]);
                bounds.push(e);
                (largest_input, step) = (range, quantized.step());
                ss.push((codes.weight_scale, codes.output_scale));
            }
            _ if matches!(layer.op, Op::AveragePool2d(_)) => {
                e = outward(e + step * rounding_step(quant.rounding()), 3);
            }
            _ => {}
        }
    }
    Ok(bounds)
}
