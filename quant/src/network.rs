//! The integer network, and how a float network becomes one.

use reference::{Layer, Network, Op, Tensor, WeightShape, Weights};

use crate::accumulator::{self, AccumulatorRange};
use crate::calibrator::Ranges;
use crate::formulas::activations::output_scale;
use crate::formulas::conventions::{Convention, LayerScales, NetworkScales};
use crate::{QuantError, Rounding, Scale, quantized_bias, quantized_weights};

/// The integer parameters of a weighted layer.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantWeights {
    /// W_iq: OIHW of a convolution, [out, in] of a linear layer.
    pub weight: Tensor<i8>,
    /// β_iq, one an output channel.
    pub bias: Option<Vec<i32>>,
    /// s_Wi.
    pub weight_scale: Scale,
    /// s_Oi, in the relative convention.
    pub output_scale: Scale,
}

impl WeightShape for QuantWeights {
    fn weight_shape(&self) -> &[usize] {
        self.weight.shape()
    }
    fn bias_len(&self) -> Option<usize> {
        self.bias.as_ref().map(Vec::len)
    }
}

/// An integer network of which it is proved that no accumulator overflows int32.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantNetwork {
    network: Network<QuantWeights>,
    input_scale: Scale,
    rounding: Rounding,
    accumulators: Vec<AccumulatorRange>,
}

impl QuantNetwork {
    /// The network with these codes and scales; `rounding` is that of eq. 6 and 7.
    ///
    /// # Errors
    /// The first layer whose accumulator could overflow int32 on some input, or an
    /// operator that has no integer form.
    pub fn new(
        network: Network<QuantWeights>,
        input_scale: Scale,
        rounding: Rounding,
    ) -> Result<Self, QuantError> {
        let accumulators = accumulator::prove(&network)?;
        Ok(Self {
            network,
            input_scale,
            rounding,
            accumulators,
        })
    }

    /// Quantizes a float network by eq. 4 to 11 in the relative convention.
    ///
    /// # Errors
    /// A layer that cannot be quantized, by name, or ranges that are not one for
    /// each weighted layer.
    pub fn quantize(
        float: &Network<Weights<f32>>,
        ranges: &Ranges,
        rounding: Rounding,
    ) -> Result<Self, QuantError> {
        let weighted = float.weighted().count();
        if weighted != ranges.outputs.len() {
            return Err(QuantError::Ranges {
                expected: weighted,
                got: ranges.outputs.len(),
            });
        }
        let s_initial_input = crate::quantize_initial_input(&Tensor::full(&[1], ranges.input)?)
            .map_err(|error| error.in_layer("input"))?;
        let mut ss: Vec<(Scale, Scale)> = Vec::with_capacity(weighted);
        let network = Self::body(float)?.try_map_weights(|name, weights| {
            let range = ranges.outputs[ss.len()];
            let layer = quantize_layer(weights, range, s_initial_input, &ss)
                .map_err(|error| error.in_layer(name))?;
            ss.push((layer.weight_scale, layer.output_scale));
            Ok::<_, QuantError>(layer)
        })?;
        Self::new(network, s_initial_input, rounding)
    }

    /// The part of a float network that has an integer form: all but a log-softmax at
    /// the end, which keeps the order of the classes.
    ///
    /// # Errors
    /// None for a network whose shapes fit.
    pub fn body(float: &Network<Weights<f32>>) -> Result<Network<Weights<f32>>, QuantError> {
        let mut layers: Vec<Layer<Weights<f32>>> = float.layers().to_vec();
        if layers
            .last()
            .is_some_and(|layer| matches!(layer.op, Op::LogSoftmax))
        {
            layers.pop();
        }
        Ok(Network::new(float.name(), float.input().clone(), layers)?)
    }

    /// The layers with their codes.
    pub fn network(&self) -> &Network<QuantWeights> {
        &self.network
    }

    /// s_I.
    pub fn input_scale(&self) -> Scale {
        self.input_scale
    }

    /// The rounding of eq. 6 and 7.
    pub fn rounding(&self) -> Rounding {
        self.rounding
    }

    /// What the accumulators of each weighted layer can reach, in order.
    pub fn accumulators(&self) -> &[AccumulatorRange] {
        &self.accumulators
    }

    /// The scales as they are, in the relative convention, in f64.
    pub fn scales(&self) -> NetworkScales<f64> {
        NetworkScales {
            convention: Convention::Relative,
            input: self.input_scale.wide(),
            layers: (self.network.weighted())
                .map(|(_, layer)| LayerScales {
                    weight: layer.weight_scale.wide(),
                    output: layer.output_scale.wide(),
                })
                .collect(),
        }
    }
}

/// Eq. 4, 10 and 11 for one layer; `range` is max|A_i|.
fn quantize_layer(
    weights: &Weights<f32>,
    range: f32,
    s_initial_input: Scale,
    ss: &[(Scale, Scale)],
) -> Result<QuantWeights, QuantError> {
    let (weight, s_w) = quantized_weights(&weights.weight)?;
    let output_scale = output_scale(range, s_w, s_initial_input, ss)?;
    let bias = (weights.bias.as_deref())
        .map(|bias| quantized_bias(bias, s_w, s_initial_input, ss))
        .transpose()?;
    Ok(QuantWeights {
        weight,
        bias,
        weight_scale: s_w,
        output_scale,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use reference::InputSpec;

    fn linear(
        name: &str,
        weight: &[f32],
        outputs: usize,
        bias: Option<Vec<f32>>,
    ) -> Layer<Weights<f32>> {
        Layer {
            name: name.into(),
            op: Op::Linear {
                weights: Weights {
                    weight: Tensor::new(&[outputs, weight.len() / outputs], weight.to_vec())
                        .unwrap(),
                    bias,
                },
            },
        }
    }

    fn network(layers: Vec<Layer<Weights<f32>>>) -> Network<Weights<f32>> {
        let input = InputSpec {
            shape: [1, 1, 2],
            mean: 0.5,
            std: 0.5,
        };
        let flatten = Layer {
            name: "flatten".into(),
            op: Op::Flatten,
        };
        Network::new("tiny", input, [vec![flatten], layers].concat()).unwrap()
    }

    fn log_softmax() -> Layer<Weights<f32>> {
        Layer {
            name: "log_softmax".into(),
            op: Op::LogSoftmax,
        }
    }

    #[test]
    fn scales_follow_the_recursion() {
        let float = network(vec![
            linear("fc1", &[1.27, -0.5], 1, Some(vec![0.04])),
            linear("fc2", &[2.54, 1.0], 2, Some(vec![0.5, -0.5])),
            log_softmax(),
        ]);
        let ranges = Ranges {
            input: 1.0,
            outputs: vec![1.5, 4.0],
        };
        let quant = QuantNetwork::quantize(&float, &ranges, Rounding::TiesToEven).unwrap();
        let names: Vec<&str> = quant
            .network()
            .layers()
            .iter()
            .map(|l| l.name.as_str())
            .collect();
        assert_eq!(names, ["flatten", "fc1", "fc2"]);

        let layers: Vec<&QuantWeights> = quant.network().weighted().map(|(_, w)| w).collect();
        let s_i = quant.input_scale();
        assert_eq!(s_i.get(), 1.0f32 / 127.0);
        let ss = [(layers[0].weight_scale, layers[0].output_scale)];
        assert_eq!(layers[0].weight.data(), [127, -50]);
        assert_eq!(layers[0].bias, Some(vec![508])); // 0.04 / (0.01 · 1/127)
        assert_eq!(
            layers[1].output_scale,
            output_scale(4.0, layers[1].weight_scale, s_i, &ss).unwrap()
        );
        assert_eq!(
            layers[1].bias.as_deref(),
            quantized_bias(&[0.5, -0.5], layers[1].weight_scale, s_i, &ss)
                .ok()
                .as_deref()
        );
        // The absolute scale of a layer is range / 127, whatever came before it.
        let absolute = quant.scales().to(Convention::Absolute);
        for (layer, range) in absolute.layers.iter().zip(&ranges.outputs) {
            let relative_error = (layer.output * 127.0 / f64::from(*range) - 1.0).abs();
            assert!(
                relative_error < crate::bounds::scale_chain(2),
                "{relative_error:e}"
            );
        }
    }

    #[test]
    fn a_network_keeps_its_rounding_and_refuses_a_bias_of_another_length() {
        let float = network(vec![linear("fc", &[1.0, 1.0], 1, Some(vec![0.5]))]);
        let ranges = Ranges {
            input: 1.0,
            outputs: vec![1.0],
        };
        let quant = QuantNetwork::quantize(&float, &ranges, Rounding::Floor).unwrap();
        assert_eq!(quant.rounding(), Rounding::Floor);
        let mut layers = quant.network().layers().to_vec();
        assert_eq!(layers[1].weights().unwrap().bias_len(), Some(1));
        layers[1].weights_mut().unwrap().bias = Some(vec![0, 0]);
        let input = float.input().clone();
        assert!(matches!(
            Network::new("tiny", input, layers),
            Err(reference::ShapeError::Layer { layer, .. }) if layer == "fc"
        ));
    }

    #[test]
    fn errors_name_the_layer() {
        let zero = network(vec![linear("dead", &[0.0, 0.0], 1, None)]);
        let ranges = Ranges {
            input: 1.0,
            outputs: vec![1.0],
        };
        assert_eq!(
            QuantNetwork::quantize(&zero, &ranges, Rounding::TiesToEven),
            Err(QuantError::ZeroRange.in_layer("dead"))
        );
        let dark = Ranges {
            input: 0.0,
            outputs: vec![1.0],
        };
        let good = network(vec![linear("fc", &[1.0, 1.0], 1, None)]);
        assert_eq!(
            QuantNetwork::quantize(&good, &dark, Rounding::TiesToEven),
            Err(QuantError::ZeroRange.in_layer("input"))
        );
        let too_many = Ranges {
            input: 1.0,
            outputs: vec![1.0, 2.0],
        };
        assert_eq!(
            QuantNetwork::quantize(&good, &too_many, Rounding::TiesToEven),
            Err(QuantError::Ranges {
                expected: 1,
                got: 2
            })
        );
    }

    #[test]
    fn a_log_softmax_inside_has_no_integer_form() {
        let float = network(vec![log_softmax(), linear("fc", &[1.0, 1.0], 1, None)]);
        let ranges = Ranges {
            input: 1.0,
            outputs: vec![1.0],
        };
        assert!(matches!(
            QuantNetwork::quantize(&float, &ranges, Rounding::TiesToEven),
            Err(QuantError::Layer { layer, source })
                if layer == "log_softmax" && matches!(*source, QuantError::Unsupported(_))
        ));
    }
}
