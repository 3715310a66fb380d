//! A network to the bytes of a file.

use std::collections::HashMap;

use quant::affine::{AffineNetwork, AffineWeights};
use reference::{Element, Network, Op, Weights};
use safetensors::{Dtype, tensor::TensorView};

use super::description::{Description, FORMAT, KEY, RawLayer, RawOp, RawWeight};
use super::{ModelFileError, Saved, packing};

/// The float network with its parameters as `E`.
///
/// # Errors
/// As [`save`].
pub fn save_float<E: FloatFormat>(
    network: &Network<Weights<f32>>,
) -> Result<Saved, ModelFileError> {
    let mut tensors = Vec::new();
    for (name, weights) in network.weighted() {
        let bytes = |values: &[f32]| -> Vec<u8> {
            values
                .iter()
                .flat_map(|&v| E::from_f32(v).bytes())
                .collect()
        };
        let weight = bytes(weights.weight.data());
        tensors.push((
            format!("{name}.weight"),
            E::DTYPE,
            weights.weight.shape().to_vec(),
            weight,
        ));
        if let Some(bias) = &weights.bias {
            tensors.push((
                format!("{name}.bias"),
                E::DTYPE,
                vec![bias.len()],
                bytes(bias),
            ));
        }
    }
    write(&tensors, None)
}

/// A float type of safetensors.
pub trait FloatFormat: Element {
    /// Its name there.
    const DTYPE: Dtype;
    /// Its bytes.
    fn bytes(self) -> Vec<u8>;
    /// The values of these bytes.
    fn values(bytes: &[u8]) -> Vec<Self>;
}

macro_rules! float_format {
    ($float:ty, $dtype:expr) => {
        impl FloatFormat for $float {
            const DTYPE: Dtype = $dtype;
            fn bytes(self) -> Vec<u8> {
                self.to_le_bytes().to_vec()
            }
            fn values(bytes: &[u8]) -> Vec<Self> {
                let words = bytes.as_chunks().0.iter();
                words.map(|&word| Self::from_le_bytes(word)).collect()
            }
        }
    };
}

float_format!(f32, Dtype::F32);
float_format!(half::f16, Dtype::F16);
float_format!(half::bf16, Dtype::BF16);

/// The integer network: weights packed to their bits, biases in int32 (int64 where one does
/// not fit), scales in float32.
///
/// # Errors
/// None that is known: what is saved is well formed.
pub fn save(network: &AffineNetwork) -> Result<Saved, ModelFileError> {
    let mut tensors = Vec::new();
    for (name, weights) in network.network().weighted() {
        let packed = packing::pack(weights.codes.data(), weights.params[0].grid);
        tensors.push((
            format!("{name}.weight"),
            Dtype::U8,
            vec![packed.len()],
            packed,
        ));
        let count = weights.params.len();
        let scales = weights
            .params
            .iter()
            .flat_map(|p| p.scale.get().to_le_bytes());
        tensors.push((
            format!("{name}.scale"),
            Dtype::F32,
            vec![count],
            scales.collect(),
        ));
        let zero_points = weights
            .params
            .iter()
            .flat_map(|p| p.zero_point.to_le_bytes());
        tensors.push((
            format!("{name}.zero_point"),
            Dtype::I32,
            vec![count],
            zero_points.collect(),
        ));
        if let Some(bias) = &weights.bias {
            let narrow: Option<Vec<i32>> = bias.iter().map(|&b| i32::try_from(b).ok()).collect();
            let (dtype, bytes) = match narrow {
                Some(codes) => (
                    Dtype::I32,
                    codes.iter().flat_map(|b| b.to_le_bytes()).collect(),
                ),
                None => (
                    Dtype::I64,
                    bias.iter().flat_map(|b| b.to_le_bytes()).collect(),
                ),
            };
            tensors.push((format!("{name}.bias"), dtype, vec![bias.len()], bytes));
        }
    }
    write(&tensors, Some(&describe(network)))
}

type Entry = (String, Dtype, Vec<usize>, Vec<u8>);

fn write(tensors: &[Entry], description: Option<&Description>) -> Result<Saved, ModelFileError> {
    let views = (tensors.iter())
        .map(|(name, dtype, shape, bytes)| {
            let view = TensorView::new(*dtype, shape.clone(), bytes)?;
            Ok((name.as_str(), view))
        })
        .collect::<Result<Vec<_>, ModelFileError>>()?;
    let text = (description.map(serde_json::to_string).transpose())
        .map_err(|error| ModelFileError::Description(error.to_string()))?;
    let metadata = text.map(|text| HashMap::from([(KEY.to_owned(), text)]));
    Ok(Saved {
        bytes: safetensors::serialize(views, metadata)?,
        parameters: tensors.iter().map(|(.., bytes)| bytes.len()).sum(),
    })
}

fn describe(network: &AffineNetwork) -> Description {
    let body = network.network();
    let layers = body.layers().iter().filter_map(|layer| {
        let weight = |weights: &AffineWeights| RawWeight {
            shape: weights.codes.shape().to_vec(),
            grid: weights.params[0].grid.into(),
            bias: weights.bias.is_some(),
            output: (&weights.output).into(),
        };
        let op = match &layer.op {
            Op::Conv2d { geometry, weights } => RawOp::Conv2d {
                stride: geometry.stride,
                padding: geometry.padding,
                dilation: geometry.dilation,
                groups: geometry.groups,
                weight: weight(weights),
            },
            Op::Linear { weights } => RawOp::Linear {
                weight: weight(weights),
            },
            Op::Relu => RawOp::Relu,
            Op::MaxPool2d(window) => RawOp::MaxPool2d {
                kernel: window.kernel,
                stride: window.stride,
                padding: window.padding,
            },
            Op::AveragePool2d(average) => RawOp::AveragePool2d {
                kernel: average.window.kernel,
                stride: average.window.stride,
                padding: average.window.padding,
                count_include_pad: average.count_include_pad,
            },
            Op::Flatten => RawOp::Flatten,
            // An `AffineNetwork` holds none.
            Op::LogSoftmax => return None,
        };
        Some(RawLayer {
            name: layer.name.clone(),
            op,
        })
    });
    Description {
        format: FORMAT,
        network: body.name().to_owned(),
        input_shape: body.input().shape,
        mean: body.input().mean.to_bits(),
        std: body.input().std.to_bits(),
        input: network.input().into(),
        layers: layers.collect(),
    }
}
