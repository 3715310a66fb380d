//! What accumulators can reach: the proof that int32 is enough.

use reference::{Network, Op, ShapeError, Tensor};

use crate::{QuantError, QuantWeights};

/// The largest |code| of int8: that of −128.
pub const LARGEST_CODE: i64 = 128;

/// The reach of one weighted layer's accumulators over all inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccumulatorRange {
    /// The largest |acc|, in any order of summation (eq. 14).
    pub bound: i64,
    /// The least width in bits of a two's-complement accumulator that holds it.
    pub bits: u32,
    /// The largest |code| that the layer is given.
    pub largest_code: i64,
}

/// Eq. 14 for every weighted layer of a network.
///
/// Codes that come out of a ReLU lie in [0, 127], all others in [−128, 127].
///
/// # Errors
/// The first layer whose bound does not fit int32, or an operator that has no
/// integer form.
pub fn prove(network: &Network<QuantWeights>) -> Result<Vec<AccumulatorRange>, QuantError> {
    let mut ranges = Vec::new();
    let mut largest_code = LARGEST_CODE;
    for layer in network.layers() {
        match &layer.op {
            Op::Conv2d { weights, .. } | Op::Linear { weights } => {
                let range = reach(&weights.weight, weights.bias.as_deref(), largest_code)
                    .map_err(|error| error.in_layer(&layer.name))?;
                ranges.push(range);
                largest_code = LARGEST_CODE;
            }
            Op::Relu => largest_code = i64::from(i8::MAX),
            // These give no code that they were not given.
            Op::MaxPool2d(_) | Op::AveragePool2d(_) | Op::Flatten => {}
            Op::LogSoftmax => {
                return Err(QuantError::Unsupported(
                    "log-softmax has no integer form except as the last layer, where it is left out",
                )
                .in_layer(&layer.name));
            }
        }
    }
    Ok(ranges)
}

/// Eq. 14: `|acc| ≤ Σ|W_q| · max|I_q| + |β_q|`, the largest over output channels.
///
/// # Errors
/// It is beyond int32, and the channel is named; or the bias has another length.
pub fn reach(
    weight: &Tensor<i8>,
    bias: Option<&[i32]>,
    largest_code: i64,
) -> Result<AccumulatorRange, QuantError> {
    let channels = weight.shape().first().copied().unwrap_or(0);
    if let Some(got) = bias.map(<[i32]>::len).filter(|&got| got != channels) {
        return Err(QuantError::Shape(ShapeError::Mismatch {
            what: "values of the bias",
            expected: channels,
            got,
        }));
    }
    let mut bound = 0;
    for channel in 0..channels {
        let weights: i64 = weight
            .item(channel)
            .iter()
            .map(|&w| i64::from(w).abs())
            .sum();
        let bias = bias.map_or(0, |bias| i64::from(bias[channel]).abs());
        let reached = weights * largest_code + bias;
        if reached > i64::from(i32::MAX) {
            return Err(QuantError::AccumulatorOverflow {
                channel,
                bound: reached.into(),
                bits: i32::BITS,
            });
        }
        bound = bound.max(reached);
    }
    Ok(AccumulatorRange {
        bound,
        bits: i64::BITS - bound.leading_zeros() + 1,
        largest_code,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(values: &[i8], channels: usize) -> Tensor<i8> {
        Tensor::new(&[channels, values.len() / channels], values.to_vec()).unwrap()
    }

    #[test]
    fn the_largest_channel_counts() {
        let w = weight(&[1, -2, -128, 3], 2);
        let range = reach(&w, Some(&[1000, -7]), 128).unwrap();
        assert_eq!(range.bound, 131 * 128 + 7);
        assert_eq!(range.bits, 16); // 16775 < 2¹⁵
        assert_eq!(reach(&w, None, 127).unwrap().bound, 131 * 127);
    }

    #[test]
    fn the_width_holds_the_bound_and_one_bit_less_does_not() {
        for (bias, bits) in [(0, 1), (1, 2), (127, 8), (128, 9), (255, 9), (256, 10)] {
            let range = reach(&weight(&[0], 1), Some(&[bias]), 128).unwrap();
            assert_eq!((range.bound, range.bits), (i64::from(bias), bits));
        }
    }

    #[test]
    fn a_bias_of_another_length_is_an_error() {
        for bias in [&[0][..], &[0, 0, 0]] {
            let found = reach(&weight(&[1, 1], 2), Some(bias), 128);
            let got = bias.len();
            assert_eq!(
                found,
                Err(QuantError::Shape(ShapeError::Mismatch {
                    what: "values of the bias",
                    expected: 2,
                    got
                }))
            );
        }
    }

    #[test]
    fn int32_is_full_at_its_maximum() {
        let w = weight(&[1], 1);
        assert_eq!(reach(&w, Some(&[i32::MAX - 128]), 128).unwrap().bits, 32);
        assert_eq!(
            reach(&w, Some(&[-i32::MAX + 127]), 128),
            Err(QuantError::AccumulatorOverflow {
                channel: 0,
                bound: i128::from(i32::MAX) + 1,
                bits: 32,
            })
        );
        let second = reach(&weight(&[1, 1], 2), Some(&[0, i32::MIN]), 127);
        assert!(matches!(
            second,
            Err(QuantError::AccumulatorOverflow { channel: 1, .. })
        ));
    }

    #[test]
    fn codes_after_relu_are_at_most_127() {
        use crate::{QuantNetwork, Rounding, Scale};
        use reference::{InputSpec, Layer};
        let linear = |name: &str| Layer {
            name: name.into(),
            op: Op::Linear {
                weights: QuantWeights {
                    weight: weight(&[10], 1),
                    bias: None,
                    weight_scale: Scale::new(1.0).unwrap(),
                    output_scale: Scale::new(1.0).unwrap(),
                },
            },
        };
        let plain = |name: &str, op| Layer {
            name: name.into(),
            op,
        };
        let layers = vec![
            plain("flatten", Op::Flatten),
            linear("a"),
            linear("b"),
            plain("relu", Op::Relu),
            linear("c"),
            linear("d"),
        ];
        let input = InputSpec {
            shape: [1, 1, 1],
            mean: 0.0,
            std: 1.0,
        };
        let network = Network::new("chain", input, layers).unwrap();
        let scale = Scale::new(1.0).unwrap();
        let quant = QuantNetwork::new(network, scale, Rounding::TiesToEven).unwrap();
        let bounds: Vec<i64> = quant
            .accumulators()
            .iter()
            .map(|range| range.bound)
            .collect();
        assert_eq!(bounds, [1280, 1280, 1270, 1280]);
    }
}
