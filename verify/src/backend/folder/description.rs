//! The JSON files of a folder.

use std::ops::Range;
use std::path::Path;

use quant::scheme::QuantParams;
use serde::{Deserialize, Serialize};

use super::super::{Probe, Trial};
use super::plain::plain;
use super::{CASE, FORMAT, FolderError, TRIAL};
use crate::dtype::Dtype;
use crate::model::{Model, Node, Quantize, Requantize, Step};

/// Which trial a folder is: `trial.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialDescription {
    /// The version of the folder.
    pub format: u32,
    /// The network.
    pub network: String,
    /// How it is quantized.
    pub scheme: String,
    /// What requantizes.
    pub contract: String,
    /// How many images the whole network is given.
    pub images: usize,
    /// How many each layer is given by itself.
    pub isolated: usize,
    /// sha256 of everything that is put in: fixtures and directed cases may change with Karat.
    pub cases: String,
}

impl TrialDescription {
    /// Of a whole trial.
    pub fn new(trial: &Trial) -> Self {
        Self {
            format: FORMAT,
            network: trial.model.network.clone(),
            scheme: trial.model.scheme.name().into(),
            contract: trial.model.contract.clone(),
            images: trial.probes[0].images(),
            isolated: trial.probes.get(1).map_or(0, Probe::images),
            cases: trial.hash(),
        }
    }

    /// Reads `trial.json` of a folder.
    ///
    /// # Errors
    /// There is none, or it is none.
    pub fn read(folder: &Path) -> Result<Self, FolderError> {
        let path = folder.join(TRIAL);
        let damaged = |why: String| FolderError::Description {
            path: path.clone(),
            why,
        };
        let bytes = plain(&path, LARGEST).map_err(|why| FolderError::read(&path, why))?;
        let read: Self =
            serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        match read.format {
            FORMAT => Ok(read),
            other => Err(damaged(format!("format {other}"))),
        }
    }
}

/// The most bytes of a JSON file.
const LARGEST: u64 = 1 << 20;

/// One case: `case.json`. Scales are float64, written so that they read back to the bit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseDescription {
    /// Its name, that of its folder.
    pub case: String,
    /// The network.
    pub network: String,
    /// How it is quantized.
    pub scheme: String,
    /// What requantizes.
    pub contract: String,
    /// How many images are put in.
    pub images: usize,
    /// Of the whole network: where its codes come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pixels: Option<Pixels>,
    /// What the first layer is given.
    pub input: TensorDescription,
    /// In the order in which they run.
    pub layers: Vec<LayerDescription>,
}

/// The images before they are codes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pixels {
    /// uint8, NCHW.
    pub file: String,
    /// Of the file.
    pub shape: Vec<usize>,
    /// code = clamp(round((pixel/255 − mean)/std / scale) + zero_point)
    pub mean: f32,
    /// Divides the difference.
    pub std: f32,
}

/// The codes that a case starts from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TensorDescription {
    /// The npy file.
    pub file: String,
    /// int8 or uint8.
    pub dtype: String,
    /// Of the file.
    pub shape: Vec<usize>,
    /// The real size of a step.
    pub scale: f64,
    /// The code that stands for 0.
    pub zero_point: i32,
}

/// A layer of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerDescription {
    /// Its name in the network.
    pub name: String,
    /// What it computes.
    #[serde(flatten)]
    pub op: OpDescription,
    /// What comes out.
    pub output: OutputDescription,
}

/// What a layer computes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum OpDescription {
    /// Weights OIHW.
    Conv2d {
        /// Rows, columns.
        stride: [usize; 2],
        /// On each side, rows and columns, holding the input's zero point.
        padding: [usize; 2],
        /// Between the taps.
        dilation: [usize; 2],
        /// Of channels.
        groups: usize,
        /// Its parameters.
        #[serde(flatten)]
        weights: WeightsDescription,
    },
    /// Weights [out, in].
    Linear {
        /// Its parameters.
        #[serde(flatten)]
        weights: WeightsDescription,
    },
    /// `max(code, zero_point)`.
    Relu,
    /// The largest code of a window.
    MaxPool2d {
        /// Rows, columns.
        kernel: [usize; 2],
        /// Rows, columns.
        stride: [usize; 2],
        /// On each side; never the largest.
        padding: [usize; 2],
    },
    /// The mean of a window, halves to even.
    AvgPool2d {
        /// Rows, columns.
        kernel: [usize; 2],
        /// Rows, columns.
        stride: [usize; 2],
        /// On each side, holding the zero point.
        padding: [usize; 2],
        /// Whether padded positions are counted.
        count_include_pad: bool,
    },
    /// Channels, rows, columns as one axis.
    Flatten,
}

/// The parameters of a weighted layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightsDescription {
    /// The npy file of the weights, int8.
    pub weight: String,
    /// Of that file.
    pub weight_shape: Vec<usize>,
    /// One, or one for each output channel.
    pub weight_scales: Vec<f64>,
    /// As many.
    pub weight_zero_points: Vec<i32>,
    /// The npy file of the biases, int32.
    pub bias: Option<String>,
    /// Of the codes that it is given.
    pub input_scale: f64,
    /// Of the codes that it is given.
    pub input_zero_point: i32,
    /// s_O of the relative convention, which divides the accumulator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub divisor: Option<f64>,
    /// Of NNTool's schemes, where the biases hold the zero points: S, one an output channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mul_scale: Option<Vec<u8>>,
    /// N, one an output channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mul_shift: Option<Vec<u32>>,
    /// The file in which a backend shows its sums.
    pub accumulators: String,
    /// int32.
    pub accumulators_dtype: String,
}

/// What comes out of a layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputDescription {
    /// The file in which a backend shows it.
    pub file: String,
    /// int8 or uint8.
    pub dtype: String,
    /// Of the file.
    pub shape: Vec<usize>,
    /// The real size of a step.
    pub scale: f64,
    /// The code that stands for 0.
    pub zero_point: i32,
    /// The least and the largest code.
    pub clamp: [i32; 2],
}

/// The file of a node.
pub(super) fn file_of(node: &Node) -> String {
    format!("{}.npy", node.name)
}

impl CaseDescription {
    /// Reads `case.json` of a folder.
    ///
    /// # Errors
    /// There is none, or it is none.
    pub fn read(folder: &Path) -> Result<Self, FolderError> {
        let path = folder.join(CASE);
        let bytes = plain(&path, LARGEST).map_err(|why| FolderError::read(&path, why))?;
        serde_json::from_slice(&bytes).map_err(|error| FolderError::read(&path, error))
    }

    pub(super) fn new(trial: &Trial, probe: &Probe) -> Option<Self> {
        let model = &trial.model;
        let first = &model.nodes[probe.nodes.start];
        let (params, pixels) = match &first.step {
            Step::Quantize(quantize) => {
                let shape = probe.input.shape();
                (
                    quantize.params,
                    Some(Pixels::new(quantize, "pixels.npy", shape)),
                )
            }
            _ => (params_before(model, probe.nodes.start)?, None),
        };
        let file = |tensor: &str| format!("{tensor}.npy");
        let layers = layers(model, probe.nodes.clone(), probe.images(), &file)?;
        Some(Self {
            case: probe.name.clone(),
            network: model.network.clone(),
            scheme: model.scheme.name().into(),
            contract: model.contract.clone(),
            images: probe.images(),
            pixels,
            input: TensorDescription {
                file: "input.npy".into(),
                dtype: Dtype::of_grid(params.grid).name().into(),
                shape: probe.codes(model).shape().to_vec(),
                scale: params.scale.wide(),
                zero_point: params.zero_point,
            },
            layers,
        })
    }
}

impl Pixels {
    /// In this file.
    pub(crate) fn new(quantize: &Quantize, file: impl Into<String>, shape: &[usize]) -> Self {
        Self {
            file: file.into(),
            shape: shape.to_vec(),
            mean: quantize.mean,
            std: quantize.std,
        }
    }
}

/// The layers of a stretch of the model, for so many images; `file` says where a tensor is.
/// `None` where a step is one that only a mistake makes.
pub(crate) fn layers(
    model: &Model,
    nodes: Range<usize>,
    images: usize,
    file: &dyn Fn(&str) -> String,
) -> Option<Vec<LayerDescription>> {
    let mut layers = Vec::new();
    for at in nodes {
        let node = &model.nodes[at];
        let op = match &node.step {
            Step::Quantize(_) | Step::Accumulate(_) => continue,
            Step::Requantize(requantize) => weighted(model, at, requantize, file)?,
            Step::Relu { .. } => OpDescription::Relu,
            Step::MaxPool(window) => OpDescription::MaxPool2d {
                kernel: window.kernel,
                stride: window.stride,
                padding: window.padding,
            },
            Step::AveragePool(pool) => OpDescription::AvgPool2d {
                kernel: pool.geometry.window.kernel,
                stride: pool.geometry.window.stride,
                padding: pool.geometry.window.padding,
                count_include_pad: pool.geometry.count_include_pad,
            },
            Step::Flatten(_) => OpDescription::Flatten,
            Step::Identity | Step::Other(_) => return None,
        };
        let of = node.params?;
        let mut shape = node.shape.clone();
        shape[0] = images;
        layers.push(LayerDescription {
            name: node.layer().to_owned(),
            op,
            output: OutputDescription {
                file: file(&node.name),
                dtype: Dtype::of_grid(of.grid).name().into(),
                shape,
                scale: of.scale.wide(),
                zero_point: of.zero_point,
                clamp: [of.grid.low(), of.grid.high()],
            },
        });
    }
    Some(layers)
}

/// Of the codes that a node is given; of pixels those of the first node.
fn params_before(model: &Model, node: usize) -> Option<QuantParams> {
    model.nodes[node.saturating_sub(1)].params
}

/// The layer that ends in this requantization.
fn weighted(
    model: &Model,
    at: usize,
    requantize: &Requantize,
    file: &dyn Fn(&str) -> String,
) -> Option<OpDescription> {
    let (before, node) = (&model.nodes[at - 1], &model.nodes[at]);
    let Step::Accumulate(sums) = &before.step else {
        return None;
    };
    let origin = &model.origin.layers[node.weighted?];
    let zero_points = &sums.weight_zero_points;
    let weights = WeightsDescription {
        weight: file(&format!("{}.weight", node.layer())),
        weight_shape: sums.weight.shape().to_vec(),
        weight_scales: (origin.weight_scales.iter())
            .map(|scale| scale.wide())
            .collect(),
        weight_zero_points: match origin.weight_scales.len() {
            1 => zero_points[..1].to_vec(),
            _ => zero_points.clone(),
        },
        bias: (origin.has_bias_codes()).then(|| file(&format!("{}.bias", node.layer()))),
        input_scale: origin.input.wide(),
        input_zero_point: sums.input_zero_point,
        divisor: (model.origin.affine.is_none()).then(|| requantize.channels[0].output_scale),
        mul_scale: (origin.sq8.as_ref())
            .map(|layer| layer.scales.iter().map(|of| of.scale).collect()),
        mul_shift: (origin.sq8.as_ref())
            .map(|layer| layer.scales.iter().map(|of| of.shift).collect()),
        accumulators: file(&before.name),
        accumulators_dtype: Dtype::Int32.name().into(),
    };
    Some(match &sums.geometry {
        Some(geometry) => OpDescription::Conv2d {
            stride: geometry.stride,
            padding: geometry.padding,
            dilation: geometry.dilation,
            groups: geometry.groups,
            weights,
        },
        None => OpDescription::Linear { weights },
    })
}
