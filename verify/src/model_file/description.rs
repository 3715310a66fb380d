//! The metadata of a model file.

use quant::scheme::{Grid, QuantParams};
use quant::{QuantError, Scale};
use serde::{Deserialize, Serialize};

pub(super) const FORMAT: u32 = 1;
pub(super) const KEY: &str = "karat";

/// The metadata: everything but the tensors.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Description {
    pub(super) format: u32,
    pub(super) network: String,
    pub(super) input_shape: [usize; 3],
    /// Bits of the float32.
    pub(super) mean: u32,
    /// Bits of the float32.
    pub(super) std: u32,
    pub(super) input: RawParams,
    pub(super) layers: Vec<RawLayer>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLayer {
    pub(super) name: String,
    pub(super) op: RawOp,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum RawOp {
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
pub(super) struct RawWeight {
    pub(super) shape: Vec<usize>,
    pub(super) grid: RawGrid,
    pub(super) bias: bool,
    pub(super) output: RawParams,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGrid {
    pub(super) bits: u32,
    pub(super) signed: bool,
    pub(super) narrow: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawParams {
    /// Bits of the float32.
    pub(super) scale: u32,
    pub(super) zero_point: i32,
    pub(super) grid: RawGrid,
}

pub(super) fn params(scale: f32, zero_point: i32, grid: Grid) -> Result<QuantParams, QuantError> {
    let params = QuantParams {
        scale: Scale::new(f64::from(scale))?,
        zero_point,
        grid,
    };
    params.check_zero_point()?;
    Ok(params)
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
