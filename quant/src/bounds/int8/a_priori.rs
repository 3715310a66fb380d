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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::QuantWeights;
    use crate::bounds::Roundoff;
    use reference::ops::AveragePoolGeometry;
    use reference::{Conv2dGeometry, InputSpec, Layer, PoolGeometry, WeightShape};

    fn layer<W>(name: &str, op: Op<W>) -> Layer<W> {
        Layer {
            name: name.into(),
            op,
        }
    }

    /// Two layers whose weight these are, and all that may stand between them.
    fn network<W: WeightShape>(first: W, second: W) -> Network<W> {
        let input = InputSpec {
            shape: [1, 2, 2],
            mean: 0.0,
            std: 1.0,
        };
        let window = PoolGeometry {
            kernel: [2, 2],
            stride: [2, 2],
            padding: [0, 0],
        };
        let pool = AveragePoolGeometry {
            window,
            count_include_pad: true,
        };
        let geometry = Conv2dGeometry::default();
        let layers = vec![
            layer(
                "conv",
                Op::Conv2d {
                    geometry,
                    weights: first,
                },
            ),
            layer("relu", Op::Relu),
            layer("pool", Op::AveragePool2d(pool)),
            layer("flatten", Op::Flatten),
            layer("fc", Op::Linear { weights: second }),
        ];
        Network::new("two", input, layers).unwrap()
    }

    #[test]
    fn only_what_rounds_adds_to_the_bound() {
        let float = |shape: &[usize], weight| Weights {
            weight: Tensor::full(shape, weight).unwrap(),
            bias: None,
        };
        let codes = |shape: &[usize], weight_scale, output_scale| QuantWeights {
            weight: Tensor::full(shape, 1i8).unwrap(),
            bias: None,
            weight_scale: Scale::new(weight_scale).unwrap(),
            output_scale: Scale::new(output_scale).unwrap(),
        };
        let (conv, fc) = ([1, 1, 1, 1], [1, 1]);
        let float = network(float(&conv, 1.0), float(&fc, 0.5));
        // S_O1 = 1·1·2 and S_O2 = ½·S_O1·4; the weights are exact.
        let quant = QuantNetwork::new(
            network(codes(&conv, 1.0, 2.0), codes(&fc, 0.5, 4.0)),
            Scale::new(1.0).unwrap(),
            Rounding::TiesToEven,
        );
        let ranges = Ranges {
            input: 100.0,
            outputs: vec![100.0, 50.0],
        };
        let bounds = a_priori(&float, &quant.unwrap(), &ranges).unwrap();
        let first = 0.5 + 2.0 / 2.0;
        let pooled = first + 2.0 / 2.0;
        let second = 0.5 * pooled + 4.0 / 2.0;
        assert_eq!(bounds.len(), 2);
        for (bound, expected) in bounds.into_iter().zip([first, second]) {
            // The quotients of float32 add some hundred u.
            assert!(
                (expected..expected + 400.0 * f32::SUM).contains(&bound),
                "{bound} for {expected}"
            );
        }
    }
}
