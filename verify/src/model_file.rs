//! A quantized network as a file: safetensors, described in `docs/model-file.md`.

mod packing;

use std::collections::HashMap;

use quant::affine::{AffineNetwork, AffineWeights};
use quant::scheme::{Grid, QuantParams};
use quant::{QuantError, Scale};
use reference::ops::AveragePoolGeometry;
use reference::{
    Conv2dGeometry, InputSpec, Layer, Network, Op, PoolGeometry, ShapeError, Tensor, Weights,
};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};

use crate::compare::LittleEndian;

/// A saved network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The file.
    pub bytes: Vec<u8>,
    /// Bytes of the tensors alone.
    pub parameters: usize,
}

/// Why a file is no network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelFileError {
    /// Not safetensors.
    #[error("not a safetensors file: {0}")]
    Format(#[from] safetensors::SafeTensorError),
    /// No description, or one that is not understood.
    #[error("the metadata entry \"karat\": {0}")]
    Description(String),
    /// A tensor that is missing or not what the description says.
    #[error("tensor {name}: expected {expected}, got {got}")]
    Tensor {
        /// Its name.
        name: String,
        /// What the description asks for.
        expected: String,
        /// What there is.
        got: String,
    },
    /// Layers that do not fit together.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// Scales that are none.
    #[error(transparent)]
    Quant(#[from] QuantError),
}

/// The metadata: everything but the tensors.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    format: u32,
    network: String,
    input_shape: [usize; 3],
    mean: f32,
    std: f32,
    input: RawParams,
    layers: Vec<RawLayer>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLayer {
    name: String,
    op: RawOp,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum RawOp {
    Conv2d {
        stride: [usize; 2],
        padding: [usize; 2],
        dilation: [usize; 2],
        groups: usize,
        weight: RawWeight,
    },
    Linear {
        weight: RawWeight,
    },
    Relu,
    MaxPool2d {
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    },
    AveragePool2d {
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
        count_include_pad: bool,
    },
    Flatten,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWeight {
    shape: Vec<usize>,
    grid: RawGrid,
    bias: bool,
    output: RawParams,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGrid {
    bits: u32,
    signed: bool,
    narrow: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawParams {
    /// Bits of the float32.
    scale: u32,
    zero_point: i32,
    grid: RawGrid,
}

const FORMAT: u32 = 1;
const KEY: &str = "karat";

/// The float network with its parameters as `E`.
pub fn save_float<E: FloatFormat>(network: &Network<Weights<f32>>) -> Saved {
    let mut tensors = Vec::new();
    for (name, weights) in network.weighted() {
        let bytes =
            |values: &[f32]| -> Vec<u8> { values.iter().flat_map(|&v| E::bytes(v)).collect() };
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
pub trait FloatFormat {
    /// Its name there.
    const DTYPE: Dtype;
    /// The nearest value's bytes.
    fn bytes(value: f32) -> Vec<u8>;
}

impl FloatFormat for f32 {
    const DTYPE: Dtype = Dtype::F32;
    fn bytes(value: f32) -> Vec<u8> {
        LittleEndian::bytes(value)
    }
}

impl FloatFormat for half::f16 {
    const DTYPE: Dtype = Dtype::F16;
    fn bytes(value: f32) -> Vec<u8> {
        Self::from_f32(value).to_le_bytes().to_vec()
    }
}

impl FloatFormat for half::bf16 {
    const DTYPE: Dtype = Dtype::BF16;
    fn bytes(value: f32) -> Vec<u8> {
        Self::from_f32(value).to_le_bytes().to_vec()
    }
}

/// The integer network: weights packed to their bits, biases in int32 (int64 where one does
/// not fit), scales in float32.
pub fn save(network: &AffineNetwork) -> Saved {
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

fn write(tensors: &[Entry], description: Option<&Description>) -> Saved {
    let views = tensors.iter().filter_map(|(name, dtype, shape, bytes)| {
        Some((
            name.as_str(),
            TensorView::new(*dtype, shape.clone(), bytes).ok()?,
        ))
    });
    let metadata = description.map(|description| {
        let text = serde_json::to_string(description).unwrap_or_default();
        HashMap::from([(KEY.to_owned(), text)])
    });
    // Every view is of the length that its shape and type ask for.
    let bytes = safetensors::serialize(views, metadata).unwrap_or_default();
    Saved {
        bytes,
        parameters: tensors.iter().map(|(.., bytes)| bytes.len()).sum(),
    }
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
        mean: body.input().mean,
        std: body.input().std,
        input: network.input().into(),
        layers: layers.collect(),
    }
}

/// The network that [`save`] made these bytes of.
///
/// # Errors
/// A file that is damaged, incomplete or of another format; no part of it is believed.
pub fn load(bytes: &[u8]) -> Result<AffineNetwork, ModelFileError> {
    let (_, header) = SafeTensors::read_metadata(bytes)?;
    let text = (header.metadata().as_ref()).and_then(|entries| entries.get(KEY));
    let text = text.ok_or_else(|| ModelFileError::Description("is missing".into()))?;
    let description: Description =
        serde_json::from_str(text).map_err(|e| ModelFileError::Description(e.to_string()))?;
    if description.format != FORMAT {
        let message = format!("format {}, expected {FORMAT}", description.format);
        return Err(ModelFileError::Description(message));
    }
    let file = SafeTensors::deserialize(bytes)?;
    let input = QuantParams::try_from(&description.input)?;
    let mut previous = input;
    let mut layers = Vec::with_capacity(description.layers.len());
    for layer in &description.layers {
        let mut weights = |raw: &RawWeight| {
            let weights = read_weights(&file, &layer.name, raw, &previous)?;
            previous = weights.output;
            Ok::<_, ModelFileError>(weights)
        };
        let op = match &layer.op {
            RawOp::Conv2d {
                stride,
                padding,
                dilation,
                groups,
                weight,
            } => Op::Conv2d {
                geometry: Conv2dGeometry {
                    stride: *stride,
                    padding: *padding,
                    dilation: *dilation,
                    groups: *groups,
                },
                weights: weights(weight)?,
            },
            RawOp::Linear { weight } => Op::Linear {
                weights: weights(weight)?,
            },
            RawOp::Relu => Op::Relu,
            RawOp::MaxPool2d {
                kernel,
                stride,
                padding,
            } => Op::MaxPool2d(PoolGeometry {
                kernel: *kernel,
                stride: *stride,
                padding: *padding,
            }),
            RawOp::AveragePool2d {
                kernel,
                stride,
                padding,
                count_include_pad,
            } => Op::AveragePool2d(AveragePoolGeometry {
                window: PoolGeometry {
                    kernel: *kernel,
                    stride: *stride,
                    padding: *padding,
                },
                count_include_pad: *count_include_pad,
            }),
            RawOp::Flatten => Op::Flatten,
        };
        layers.push(Layer {
            name: layer.name.clone(),
            op,
        });
    }
    let spec = InputSpec {
        shape: description.input_shape,
        mean: description.mean,
        std: description.std,
    };
    let network = Network::new(description.network, spec, layers)?;
    Ok(AffineNetwork::new(network, input)?)
}

fn read_weights(
    file: &SafeTensors<'_>,
    layer: &str,
    raw: &RawWeight,
    input: &QuantParams,
) -> Result<AffineWeights, ModelFileError> {
    let find = |part: &str, dtypes: &[Dtype]| {
        let name = format!("{layer}.{part}");
        let tensor = file.tensor(&name)?;
        match dtypes.contains(&tensor.dtype()) {
            true => Ok(tensor),
            false => Err(ModelFileError::Tensor {
                name,
                expected: format!("{dtypes:?}"),
                got: format!("{:?}", tensor.dtype()),
            }),
        }
    };
    let wrong = |part: &str, expected: String, got: usize| ModelFileError::Tensor {
        name: format!("{layer}.{part}"),
        expected,
        got: got.to_string(),
    };
    let grid = Grid::from(raw.grid);
    if !grid.is_valid() {
        return Err(QuantError::Grid(grid).in_layer(layer).into());
    }
    let packed = find("weight", &[Dtype::U8])?;
    // No more codes than there are bits: the shape is not believed before that.
    let count = (raw.shape.iter()).try_fold(1usize, |all, &size| all.checked_mul(size));
    let bits = packed.data().len().saturating_mul(8);
    let count = count.filter(|&count| count.saturating_mul(grid.bits as usize) <= bits);
    let codes = count.and_then(|count| packing::unpack(packed.data(), count, grid));
    let codes = codes.filter(|codes| codes.iter().all(|c| (grid.low()..=grid.high()).contains(c)));
    let codes = codes.ok_or_else(|| {
        let expected = format!("{:?} codes of {} bits", raw.shape, grid.bits);
        wrong("weight", expected, packed.data().len())
    })?;
    let scales = words::<4>(find("scale", &[Dtype::F32])?.data());
    let zero_points = words::<4>(find("zero_point", &[Dtype::I32])?.data());
    let outputs = raw.shape.first().copied().unwrap_or(0);
    if scales.is_empty()
        || ![1, outputs].contains(&scales.len())
        || scales.len() != zero_points.len()
    {
        return Err(wrong(
            "scale",
            format!("1 or {outputs} scales and zero points"),
            scales.len(),
        ));
    }
    let params = (scales.iter().zip(&zero_points))
        .map(|(scale, zero_point)| {
            params(
                f32::from_le_bytes(*scale),
                i32::from_le_bytes(*zero_point),
                grid,
            )
        })
        .collect::<Result<Vec<_>, _>>()?;
    let bias = match raw.bias {
        false => None,
        true => {
            let tensor = find("bias", &[Dtype::I32, Dtype::I64])?;
            let codes: Vec<i64> = match tensor.dtype() {
                Dtype::I32 => (words(tensor.data()).into_iter())
                    .map(|word| i64::from(i32::from_le_bytes(word)))
                    .collect(),
                _ => words(tensor.data())
                    .into_iter()
                    .map(i64::from_le_bytes)
                    .collect(),
            };
            if codes.len() != outputs {
                return Err(wrong("bias", format!("{outputs} codes"), codes.len()));
            }
            Some(codes)
        }
    };
    let output = QuantParams::try_from(&raw.output)?;
    let codes = Tensor::new(&raw.shape, codes)?;
    Ok(AffineWeights::new(codes, params, bias, input, output))
}

fn words<const N: usize>(bytes: &[u8]) -> Vec<[u8; N]> {
    bytes.as_chunks().0.to_vec()
}

fn params(scale: f32, zero_point: i32, grid: Grid) -> Result<QuantParams, QuantError> {
    if !grid.is_valid() || !(grid.low()..=grid.high()).contains(&zero_point) {
        return Err(QuantError::Grid(grid));
    }
    Ok(QuantParams {
        scale: Scale::new(f64::from(scale))?,
        zero_point,
        grid,
    })
}

impl From<Grid> for RawGrid {
    fn from(grid: Grid) -> Self {
        Self {
            bits: grid.bits,
            signed: grid.signed,
            narrow: grid.narrow,
        }
    }
}

impl From<RawGrid> for Grid {
    fn from(raw: RawGrid) -> Self {
        Self {
            bits: raw.bits,
            signed: raw.signed,
            narrow: raw.narrow,
        }
    }
}

impl From<&QuantParams> for RawParams {
    fn from(params: &QuantParams) -> Self {
        Self {
            scale: params.scale.get().to_bits(),
            zero_point: params.zero_point,
            grid: params.grid.into(),
        }
    }
}

impl TryFrom<&RawParams> for QuantParams {
    type Error = QuantError;

    fn try_from(raw: &RawParams) -> Result<Self, QuantError> {
        params(f32::from_bits(raw.scale), raw.zero_point, raw.grid.into())
    }
}
