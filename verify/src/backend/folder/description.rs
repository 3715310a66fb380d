//! The JSON files of a folder.

use std::fs;
use std::path::Path;

use quant::scheme::{Grid, QuantParams};
use serde::{Deserialize, Serialize};

use super::super::{Probe, Trial};
use super::{FORMAT, FolderError, TRIAL};
use crate::model::{Model, Node, Requantize, Step};

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
        let size = fs::metadata(&path).map_err(|error| FolderError::read(&path, error))?;
        if size.len() > LARGEST {
            return Err(damaged(format!("{} bytes", size.len())));
        }
        let bytes = fs::read(&path).map_err(|error| FolderError::read(&path, error))?;
        let read: Self =
            serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        match read.format {
            FORMAT => Ok(read),
            other => Err(damaged(format!("format {other}"))),
        }
    }
}

/// The most bytes of a `trial.json`.
const LARGEST: u64 = 64 << 10;

/// One case: `case.json`. Scales are float64, written so that they read back to the bit.
#[derive(Serialize)]
pub(super) struct CaseDescription {
    case: String,
    network: String,
    scheme: String,
    contract: String,
    images: usize,
    /// Of the whole network: where its codes come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pixels: Option<Pixels>,
    input: TensorDescription,
    layers: Vec<LayerDescription>,
}

#[derive(Serialize)]
struct Pixels {
    file: &'static str,
    shape: Vec<usize>,
    /// code = clamp(round((pixel/255 − mean)/std / scale) + zero_point)
    mean: f32,
    std: f32,
}

#[derive(Serialize)]
struct TensorDescription {
    file: String,
    dtype: &'static str,
    shape: Vec<usize>,
    scale: f64,
    zero_point: i32,
}

#[derive(Serialize)]
struct LayerDescription {
    name: String,
    #[serde(flatten)]
    op: OpDescription,
    output: OutputDescription,
}

#[derive(Serialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum OpDescription {
    Conv2d {
        stride: [usize; 2],
        padding: [usize; 2],
        dilation: [usize; 2],
        groups: usize,
        #[serde(flatten)]
        weights: WeightsDescription,
    },
    Linear {
        #[serde(flatten)]
        weights: WeightsDescription,
    },
    Relu,
    MaxPool2d {
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    },
    AvgPool2d {
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
        count_include_pad: bool,
    },
    Flatten,
}

#[derive(Serialize)]
struct WeightsDescription {
    weight: String,
    weight_shape: Vec<usize>,
    weight_scales: Vec<f64>,
    weight_zero_points: Vec<i32>,
    bias: Option<String>,
    input_scale: f64,
    input_zero_point: i32,
    /// s_O of the relative convention, which divides the accumulator.
    #[serde(skip_serializing_if = "Option::is_none")]
    divisor: Option<f64>,
    accumulators: String,
    accumulators_dtype: &'static str,
}

#[derive(Serialize)]
struct OutputDescription {
    file: String,
    dtype: &'static str,
    shape: Vec<usize>,
    scale: f64,
    zero_point: i32,
    clamp: [i32; 2],
}

/// The name of a type of codes.
pub(super) fn dtype(grid: Grid) -> &'static str {
    match grid.signed {
        true => "int8",
        false => "uint8",
    }
}

/// The file of a node.
pub(super) fn file_of(node: &Node) -> String {
    format!("{}.npy", node.name)
}

impl CaseDescription {
    pub(super) fn new(trial: &Trial, probe: &Probe) -> Option<Self> {
        let model = &trial.model;
        let nodes = probe.nodes.clone();
        let (mut params, mut pixels) = (params_before(model, nodes.start)?, None);
        let mut layers = Vec::new();
        for at in nodes {
            let node = &model.nodes[at];
            let op = match &node.step {
                Step::Quantize(quantize) => {
                    params = quantize.params;
                    pixels = Some(Pixels {
                        file: "pixels.npy",
                        shape: probe.input.shape().to_vec(),
                        mean: quantize.mean,
                        std: quantize.std,
                    });
                    continue;
                }
                Step::Accumulate(_) => continue,
                Step::Requantize(requantize) => weighted(model, at, requantize)?,
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
                Step::Identity => return None,
            };
            let of = node.params?;
            layers.push(LayerDescription {
                name: node.layer().to_owned(),
                op,
                output: OutputDescription {
                    file: file_of(node),
                    dtype: dtype(of.grid),
                    shape: probe.golden_of(at).shape().to_vec(),
                    scale: of.scale.wide(),
                    zero_point: of.zero_point,
                    clamp: [of.grid.low(), of.grid.high()],
                },
            });
        }
        Some(Self {
            case: probe.name.clone(),
            network: model.network.clone(),
            scheme: model.scheme.name().into(),
            contract: model.contract.clone(),
            images: probe.images(),
            pixels,
            input: TensorDescription {
                file: "input.npy".into(),
                dtype: dtype(params.grid),
                shape: probe.codes(model).shape().to_vec(),
                scale: params.scale.wide(),
                zero_point: params.zero_point,
            },
            layers,
        })
    }
}

/// Of the codes that a node is given; of pixels those of the first node.
fn params_before(model: &Model, node: usize) -> Option<QuantParams> {
    model.nodes[node.saturating_sub(1)].params
}

/// The layer that ends in this requantization.
fn weighted(model: &Model, at: usize, requantize: &Requantize) -> Option<OpDescription> {
    let (before, node) = (&model.nodes[at - 1], &model.nodes[at]);
    let Step::Accumulate(sums) = &before.step else {
        return None;
    };
    let origin = &model.origin.layers[node.weighted?];
    let zero_points = &sums.weight_zero_points;
    let weights = WeightsDescription {
        weight: format!("{}.weight.npy", node.layer()),
        weight_shape: sums.weight.shape().to_vec(),
        weight_scales: (origin.weight_scales.iter())
            .map(|scale| scale.wide())
            .collect(),
        weight_zero_points: match origin.weight_scales.len() {
            1 => zero_points[..1].to_vec(),
            _ => zero_points.clone(),
        },
        bias: (origin.float.bias.is_some()).then(|| format!("{}.bias.npy", node.layer())),
        input_scale: origin.input.wide(),
        input_zero_point: sums.input_zero_point,
        divisor: (model.origin.affine.is_none()).then(|| requantize.channels[0].output_scale),
        accumulators: file_of(before),
        accumulators_dtype: "int32",
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
