//! Ranges of a network over calibration images.

use reference::network::apply;
use reference::{Network, ShapeError, Tensor, Weights};

use crate::QuantError;
use crate::observers::max_abs;

/// The symmetric max-abs ranges that the scales are made from.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranges {
    /// max|I| over the images.
    pub input: f32,
    /// max|A_i| of each weighted layer: its output, bias included, before ReLU and
    /// pool.
    pub outputs: Vec<f32>,
}

/// Runs the network over `images` [N, C, H, W] (normalized) and observes max-abs
/// ranges.
///
/// The activations are evaluated in f64 and rounded once to f32, so that the
/// ranges do not depend on the order of the sums.
///
/// # Errors
/// Images that are not the network's, or an activation that is not finite in f32.
pub fn calibrate(
    network: &Network<Weights<f32>>,
    images: &Tensor<f32>,
) -> Result<Ranges, QuantError> {
    let wide = network.cast::<f64>();
    let mut ranges = Ranges {
        input: max_abs(images.data())?,
        outputs: Vec::new(),
    };
    let mut x = images.map(f64::from);
    for layer in wide.layers() {
        x = apply(&layer.op, &x).map_err(|source| ShapeError::Layer {
            network: wide.name().to_owned(),
            layer: layer.name.clone(),
            source: Box::new(source),
        })?;
        if layer.weights().is_some() {
            let range = max_abs(x.map(|a| a as f32).data());
            ranges
                .outputs
                .push(range.map_err(|error| error.in_layer(&layer.name))?);
        }
    }
    Ok(ranges)
}

#[cfg(test)]
mod tests {
    use super::*;
    use reference::{InputSpec, Layer, Op};

    #[test]
    fn ranges_are_taken_before_relu_and_with_the_bias() {
        let layers = vec![
            Layer {
                name: "flatten".into(),
                op: Op::Flatten,
            },
            Layer {
                name: "fc".into(),
                op: Op::Linear {
                    weights: Weights {
                        weight: Tensor::new(&[1, 2], vec![1.0f32, -1.0]).unwrap(),
                        bias: Some(vec![-0.5]),
                    },
                },
            },
            Layer {
                name: "relu".into(),
                op: Op::Relu,
            },
        ];
        let input = InputSpec {
            shape: [1, 1, 2],
            mean: 0.0,
            std: 1.0,
        };
        let network = Network::new("tiny", input, layers).unwrap();
        let images = Tensor::new(&[2, 1, 1, 2], vec![1.0, 0.0, 0.0, 3.0]).unwrap();
        assert_eq!(
            calibrate(&network, &images),
            Ok(Ranges {
                input: 3.0,
                outputs: vec![3.5]
            })
        );
        let wrong = Tensor::new(&[1, 1, 1, 3], vec![0.0f32; 3]).unwrap();
        assert!(matches!(
            calibrate(&network, &wrong),
            Err(QuantError::Shape(ShapeError::Layer { layer, .. })) if layer == "fc"
        ));
    }
}
