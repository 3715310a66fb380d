//! A float network becomes an SQ8 network.

use reference::{Network, Tensor, WeightShape, Weights};

use super::{
    Activations, Infos, NodeRanges, Sq8Options, Sq8Params, Sq8Scale, bias_code,
    multiplicative_bias, multiplier_bits, stored_bias, weight_code, weight_scale,
};
use crate::accumulator::LARGEST_CODE;
use crate::scheme::Granularity;
use crate::{QuantError, QuantNetwork, Scale};

/// The integer parameters of a weighted layer, as NNTool writes them.
#[derive(Clone, Debug, PartialEq)]
pub struct Sq8Weights {
    /// Wq: OIHW of a convolution, [out, in] of a linear layer; ±127.
    pub codes: Tensor<i8>,
    /// s_W, one an output channel.
    pub weight_scales: Vec<Scale>,
    /// b0, one an output channel: the bias before the zero points are folded into it.
    pub bias_codes: Vec<i64>,
    /// Bq, one an output channel.
    pub bias: Vec<i32>,
    /// `Mul_scale` and `Mul_shift`, one an output channel.
    pub scales: Vec<Sq8Scale>,
    /// Of the input's codes.
    pub input: Sq8Params,
    /// Of the output's codes.
    pub output: Sq8Params,
    /// Whether a ReLU is part of the layer.
    pub relu: bool,
}

impl WeightShape for Sq8Weights {
    fn weight_shape(&self) -> &[usize] {
        self.codes.shape()
    }
    fn bias_len(&self) -> Option<usize> {
        Some(self.bias.len())
    }
}

impl Sq8Weights {
    /// What its kernel is told beside its tensors.
    pub fn infos(&self) -> Infos {
        // A zero point is a code of int8.
        Infos::new((self.relu).then(|| self.output.zero_point() as i8))
    }

    /// The largest |acc| of an output channel, whatever the codes of the input and the order of
    /// summation.
    pub fn reach(&self, channel: usize) -> i64 {
        let sum: i64 = (self.codes.item(channel).iter())
            .map(|&w| i64::from(w.unsigned_abs()))
            .sum();
        sum * LARGEST_CODE + i64::from(self.bias[channel].unsigned_abs())
    }

    /// Whether `acc·S + 2^(N−1)` could leave int32 in an output channel: the device wraps there,
    /// and so does [`Sq8Scale::apply`].
    pub fn may_wrap(&self, channel: usize) -> bool {
        let Sq8Scale { scale, shift } = self.scales[channel];
        let half = (1i64 << shift) / 2;
        self.reach(channel) * i64::from(scale) + half > i64::from(i32::MAX)
    }
}

/// An SQ8 network of which it is proved that no accumulator overflows int32.
#[derive(Clone, Debug, PartialEq)]
pub struct Sq8Network {
    network: Network<Sq8Weights>,
    input: Sq8Params,
}

impl Sq8Network {
    /// Quantizes a float network by eq. 23 to 29. A log-softmax at its end is left out, as
    /// elsewhere; `ranges` are those of the layers that stay.
    ///
    /// # Errors
    /// A layer that cannot be quantized, by name, or ranges that are not one for each layer.
    pub fn quantize(
        float: &Network<Weights<f32>>,
        ranges: &NodeRanges,
        options: &Sq8Options,
    ) -> Result<Self, QuantError> {
        let body = QuantNetwork::body(float)?;
        let activations = Activations::new(&body, ranges, options)?;
        let mut input = activations.input;
        let mut outputs = activations.outputs.into_iter();
        let network = body.try_map_weights(|name, weights| {
            let (output, relu) = outputs.next().ok_or(QuantError::Empty)?;
            let layer = quantize_layer(weights, options.weights, [input, output], relu)
                .and_then(proved)
                .map_err(|error| error.in_layer(name))?;
            input = output;
            Ok::<_, QuantError>(layer)
        })?;
        Ok(Self {
            network,
            input: activations.input,
        })
    }

    /// The layers with their codes.
    pub fn network(&self) -> &Network<Sq8Weights> {
        &self.network
    }

    /// Of the input's codes.
    pub fn input(&self) -> &Sq8Params {
        &self.input
    }
}

fn quantize_layer(
    float: &Weights<f32>,
    granularity: Granularity,
    [input, output]: [Sq8Params; 2],
    relu: bool,
) -> Result<Sq8Weights, QuantError> {
    let outputs = float.weight.shape()[0];
    let mut weight_scales: Vec<Scale> = match granularity {
        Granularity::PerTensor => vec![weight_scale(float.weight.data())?; outputs],
        Granularity::PerChannel => (0..outputs)
            .map(|o| weight_scale(float.weight.item(o)))
            .collect::<Result<_, _>>()?,
    };
    let mut bias_codes = vec![0; outputs];
    for (index, &bias) in float.bias.iter().flatten().enumerate() {
        if !bias.is_finite() {
            return Err(QuantError::NotFinite { index, value: bias });
        }
        bias_codes[index] = match bias_code(bias, weight_scales[index], &input) {
            Some(code) => code,
            None => {
                weight_scales[index] = Scale::new(1.0)?;
                let code = bias_code(bias, weight_scales[index], &input);
                code.ok_or(QuantError::BiasOverflow {
                    index,
                    bias,
                    code: f64::from(bias) / input.scale(),
                    bits: i32::BITS,
                })?
            }
        };
    }
    let codes = (float.weight).map_along(0, |o, weight| weight_code(weight, weight_scales[o]));
    let bias = (0..outputs).map(|o| {
        stored_bias(
            bias_codes[o],
            codes.item(o),
            weight_scales[o],
            &input,
            &output,
        )
    });
    let bias = bias.collect();
    let factors: Vec<_> = (weight_scales.iter().zip(&bias_codes))
        .map(|(scale, &code)| {
            let factor = input.scale() * scale.wide() / output.scale();
            (factor, multiplier_bits(codes.item_len(), code))
        })
        .collect();
    let scales = multiplicative_bias(&factors)
        .map_err(|(channel, source)| QuantError::Multiplier { channel, source })?;
    Ok(Sq8Weights {
        codes,
        weight_scales,
        bias_codes,
        bias,
        scales,
        input,
        output,
        relu,
    })
}

/// The layer, if its accumulators fit int32 whatever it is given.
fn proved(layer: Sq8Weights) -> Result<Sq8Weights, QuantError> {
    for channel in 0..layer.bias.len() {
        let bound = layer.reach(channel);
        if bound > i64::from(i32::MAX) {
            return Err(QuantError::AccumulatorOverflow {
                channel,
                bound: bound.into(),
                bits: i32::BITS,
            });
        }
    }
    Ok(layer)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// Of one output, 127·128 of the reach from its weight.
    fn layer(reach: i64, scale: u8, shift: u32) -> Sq8Weights {
        let params = Sq8Params::new(1.0, 0).unwrap();
        Sq8Weights {
            codes: Tensor::new(&[1, 1], vec![127]).unwrap(),
            weight_scales: vec![Scale::new(1.0).unwrap()],
            bias_codes: vec![0],
            bias: vec![(reach - 127 * 128) as i32],
            scales: vec![Sq8Scale { scale, shift }],
            input: params,
            output: params,
            relu: false,
        }
    }

    const MOST: i64 = i32::MAX as i64;

    /// `acc·S + 2^(N−1)` of the largest accumulator is the largest int32, or the last below it.
    #[rstest]
    #[case(MOST, 1, 0)]
    #[case(MOST - 1, 1, 1)]
    #[case((MOST - 128) / 255, 255, 8)]
    fn a_product_wraps_beyond_int32_only(
        #[case] reach: i64,
        #[case] scale: u8,
        #[case] shift: u32,
    ) {
        assert_eq!(layer(reach, scale, shift).reach(0), reach);
        assert!(!layer(reach, scale, shift).may_wrap(0));
        assert!(layer(reach + 1, scale, shift).may_wrap(0));
    }

    #[test]
    fn the_largest_int32_is_an_accumulator_and_the_next_is_none() {
        assert!(proved(layer(MOST, 1, 0)).is_ok());
        let mut beyond = layer(MOST, 1, 0);
        beyond.codes = Tensor::new(&[1, 1], vec![-127]).unwrap();
        assert!(proved(beyond.clone()).is_ok());
        beyond.bias[0] += 1;
        assert!(matches!(
            proved(beyond),
            Err(QuantError::AccumulatorOverflow { channel: 0, bound, .. }) if bound == i128::from(MOST) + 1
        ));
    }

    /// Shapes are checked by what a layer says of its bias.
    #[test]
    fn a_layer_says_how_long_its_bias_is() {
        assert_eq!(layer(MOST, 1, 0).bias_len(), Some(1));
    }
}
