//! The ways in which a model can be quantized.

use std::fmt;

use quant::observers::Observer;
use quant::scheme::{Granularity, Grid, ObservedAt, Scheme, Symmetry, TensorScheme};
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
}

/// Every scheme.
pub const MODELS: [ModelScheme; 4] = [
    ModelScheme::MaxAbs,
    ModelScheme::Asymmetric,
    ModelScheme::PerChannel,
    ModelScheme::PerChannelAsymmetric,
];

impl ModelScheme {
    /// As it is written on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::MaxAbs => "max-abs",
            Self::Asymmetric => "asymmetric",
            Self::PerChannel => "per-channel",
            Self::PerChannelAsymmetric => "per-channel-asymmetric",
        }
    }

    /// The scheme of this name.
    pub fn find(name: &str) -> Option<Self> {
        MODELS.into_iter().find(|scheme| scheme.name() == name)
    }

    /// The scheme in the terms of `quant`; max-abs has formulas of its own.
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
            Self::PerChannelAsymmetric => Some(Scheme {
                weights: per_channel,
                activations: tensor(true, false, Symmetry::Asymmetric, whole),
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
