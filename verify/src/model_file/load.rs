//! The bytes of a file to a network.

use quant::QuantError;
use quant::affine::{AffineNetwork, AffineWeights};
use quant::scheme::{Grid, QuantParams};
use reference::ops::AveragePoolGeometry;
use reference::{Conv2dGeometry, InputSpec, Layer, Network, Op, PoolGeometry, Tensor, Weights};
use safetensors::{Dtype, SafeTensors};

use super::description::{Description, FORMAT, KEY, RawOp, RawWeight, params};
use super::{FloatFormat, ModelFileError, packing};

/// The network that [`super::save`] made these bytes of.
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
    let input = QuantParams::try_from(&description.input).map_err(|e| e.in_layer("input"))?;
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
    check_names(&file, &description)?;
    let spec = InputSpec {
        shape: description.input_shape,
        mean: f32::from_bits(description.mean),
        std: f32::from_bits(description.std),
    };
    if !(spec.mean.is_finite() && spec.std.is_finite() && spec.std > 0.0) {
        let message = format!("mean {} and std {} normalize nothing", spec.mean, spec.std);
        return Err(ModelFileError::Description(message));
    }
    let network = Network::new(description.network, spec, layers)?;
    Ok(AffineNetwork::new(network, input)?)
}

/// Every tensor is one that the description asks for, and there is one at least.
fn check_names(file: &SafeTensors<'_>, description: &Description) -> Result<(), ModelFileError> {
    let mut asked = Vec::new();
    for layer in &description.layers {
        if let RawOp::Conv2d { weight, .. } | RawOp::Linear { weight } = &layer.op {
            let parts = ["weight", "scale", "zero_point", "bias"];
            let count = if weight.bias { 4 } else { 3 };
            asked.extend(
                parts[..count]
                    .iter()
                    .map(|part| format!("{}.{part}", layer.name)),
            );
        }
    }
    if asked.is_empty() {
        let message = "no layer has weights".into();
        return Err(ModelFileError::Description(message));
    }
    let mut names = file.names();
    names.sort_unstable();
    match (names.into_iter()).find(|name| !asked.iter().any(|asked| asked == name)) {
        None => Ok(()),
        Some(name) => Err(ModelFileError::Tensor {
            name: name.to_owned(),
            expected: "a layer of the description that has it".into(),
            got: "none".into(),
        }),
    }
}

fn read_weights(
    file: &SafeTensors<'_>,
    layer: &str,
    raw: &RawWeight,
    input: &QuantParams,
) -> Result<AffineWeights, ModelFileError> {
    let find = |part: &str, dtypes: &[Dtype]| {
        let name = format!("{layer}.{part}");
        let missing = |_| ModelFileError::Tensor {
            name: name.clone(),
            expected: format!("{dtypes:?}"),
            got: "none".into(),
        };
        let tensor = file.tensor(&name).map_err(missing)?;
        match dtypes.contains(&tensor.dtype()) {
            true if tensor.shape().len() == 1 => Ok(tensor),
            true => Err(ModelFileError::Tensor {
                name,
                expected: "one axis".into(),
                got: format!("{:?}", tensor.shape()),
            }),
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
    let codes = codes.filter(|codes| codes.iter().all(|&code| grid.holds(code)));
    let codes = codes.ok_or_else(|| {
        let expected = match count {
            Some(count) => (count * grid.bits as usize).div_ceil(8).to_string(),
            None => "more".into(),
        };
        let expected = format!(
            "{:?} codes of {} bits in {expected} bytes",
            raw.shape, grid.bits
        );
        wrong("weight", expected, packed.data().len())
    })?;
    let scales = words::<4>(find("scale", &[Dtype::F32])?.data());
    let zero_points = words::<4>(find("zero_point", &[Dtype::I32])?.data());
    let outputs = raw.shape.first().copied().unwrap_or(0);
    if ![1, outputs.max(1)].contains(&scales.len()) {
        let expected = format!("1 or {outputs} scales");
        return Err(wrong("scale", expected, scales.len()));
    }
    if scales.len() != zero_points.len() {
        let expected = format!("{}, as there are scales", scales.len());
        return Err(wrong("zero_point", expected, zero_points.len()));
    }
    let params = (scales.iter().zip(&zero_points))
        .map(|(scale, zero_point)| {
            params(
                f32::from_le_bytes(*scale),
                i32::from_le_bytes(*zero_point),
                grid,
            )
        })
        .collect::<Result<Vec<_>, QuantError>>()
        .map_err(|error| error.in_layer(layer))?;
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
    let output = QuantParams::try_from(&raw.output).map_err(|error| error.in_layer(layer))?;
    let codes = Tensor::new(&raw.shape, codes)?;
    Ok(AffineWeights::new(codes, params, bias, input, output))
}

fn words<const N: usize>(bytes: &[u8]) -> Vec<[u8; N]> {
    bytes.as_chunks().0.to_vec()
}

/// A float network of this architecture with the parameters that [`super::save_float`] stored.
///
/// # Errors
/// A tensor that is missing, or of another type or shape than the network's.
pub fn load_float<E: FloatFormat>(
    bytes: &[u8],
    network: &Network<Weights<f32>>,
) -> Result<Network<Weights<f32>>, ModelFileError> {
    let file = SafeTensors::deserialize(bytes)?;
    let read = |name: String, shape: &[usize]| {
        let wrong = |got: String| ModelFileError::Tensor {
            name: name.clone(),
            expected: format!("{:?} {shape:?}", E::DTYPE),
            got,
        };
        let tensor = file.tensor(&name).map_err(|_| wrong("none".into()))?;
        match tensor.dtype() == E::DTYPE && tensor.shape() == shape {
            true => Ok((E::values(tensor.data()).into_iter())
                .map(|v| v.to_f64_exact() as f32)
                .collect()),
            false => Err(wrong(format!("{:?} {:?}", tensor.dtype(), tensor.shape()))),
        }
    };
    network.try_map_weights(|layer, weights| {
        let shape = weights.weight.shape();
        let weight = Tensor::new(shape, read(format!("{layer}.weight"), shape)?)?;
        let bias = (weights.bias.as_ref())
            .map(|bias| read(format!("{layer}.bias"), &[bias.len()]))
            .transpose()?;
        Ok(Weights { weight, bias })
    })
}
