//! The ways in which a model can be quantized.

use std::fmt;

use quant::observers::Observer;
use quant::scheme::{Granularity, Grid, ObservedAt, Scheme, Symmetry, TensorScheme};
use quant::sq8::{SdkRelease, Sq8Options};
use serde::Serialize;

/// How a model is quantized: 8 bits throughout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelScheme {
    /// max|x|/127, no zero points, the relative convention (eq. 3 to 11).
    MaxAbs,
    /// Weights and activations with zero points, one scale a tensor; activations uint8,
    /// observed after ReLU.
    Asymmetric,
    /// A scale for each output channel of the weights; no zero points.
    PerChannel,
    /// Weights per channel without zero points, activations int8 with one, observed after
    /// ReLU: what LiteRT and ONNX Runtime take.
    PerChannelAsymmetric,
    /// GreenWaves NNTool's SQ8 as release 4.22 makes it: weights per channel, outputs int8 with
    /// zero points, which are folded into the biases.
    NntoolSq8,
    /// The same as earlier releases make it, or a later one with `--no_allow_asymmetric_out`:
    /// outputs without zero points.
    NntoolSq8Symmetric,
}

/// Every scheme of `quant::affine` and max-abs: those in which the known mistakes are made.
pub const MODELS: [ModelScheme; 4] = [
    ModelScheme::MaxAbs,
    ModelScheme::Asymmetric,
    ModelScheme::PerChannel,
    ModelScheme::PerChannelAsymmetric,
];

/// Every scheme of `quant::sq8`.
pub const NNTOOL: [ModelScheme; 2] = [ModelScheme::NntoolSq8, ModelScheme::NntoolSq8Symmetric];

impl ModelScheme {
    /// Every scheme that there is.
    pub fn all() -> impl Iterator<Item = Self> {
        MODELS.into_iter().chain(NNTOOL)
    }

    /// As it is written on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::MaxAbs => "max-abs",
            Self::Asymmetric => "asymmetric",
            Self::PerChannel => "per-channel",
            Self::PerChannelAsymmetric => "per-channel-asymmetric",
            Self::NntoolSq8 => "nntool-sq8",
            Self::NntoolSq8Symmetric => "nntool-sq8-symmetric",
        }
    }

    /// The scheme of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::all().find(|scheme| scheme.name() == name)
    }

    /// What NNTool is told, of a scheme of its.
    pub fn sq8(self) -> Option<Sq8Options> {
        match self {
            Self::NntoolSq8 => Some(SdkRelease::V4_22.options()),
            Self::NntoolSq8Symmetric => Some(SdkRelease::V4_13.options()),
            _ => None,
        }
    }

    /// The scheme in the terms of `quant::scheme`. Max-abs has formulas of its own; of NNTool's
    /// these are its codes, and `quant::sq8` has the rules for its ranges.
    pub fn affine(self) -> Option<Scheme> {
        let tensor = |signed, narrow, symmetry, granularity| TensorScheme {
            grid: Grid {
                bits: 8,
                signed,
                narrow,
            },
            symmetry,
            granularity,
            observer: Observer::MinMax,
        };
        let whole = Granularity::PerTensor;
        let per_channel = tensor(true, true, Symmetry::Symmetric, Granularity::PerChannel);
        match self {
            Self::MaxAbs => None,
            Self::Asymmetric => Some(Scheme::uniform(8, Symmetry::Asymmetric)),
            Self::PerChannel => Some(Scheme {
                weights: per_channel,
                activations: tensor(true, false, Symmetry::Symmetric, whole),
                observed_at: ObservedAt::Output,
            }),
            Self::PerChannelAsymmetric | Self::NntoolSq8 => Some(Scheme {
                weights: per_channel,
                activations: tensor(true, false, Symmetry::Asymmetric, whole),
                observed_at: ObservedAt::AfterRelu,
            }),
            Self::NntoolSq8Symmetric => Some(Scheme {
                weights: per_channel,
                activations: tensor(true, false, Symmetry::Symmetric, whole),
                observed_at: ObservedAt::AfterRelu,
            }),
        }
    }
}

impl fmt::Display for ModelScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
