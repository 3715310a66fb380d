//! One comparison.

use std::fmt;

use kernels::Isa;
use serde::Serialize;

use crate::Outcome;

/// What was compared with PyTorch's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The 256 inputs that a pixel can become.
    NormalizedPixels,
    /// max|I| over the calibration images.
    InputRange,
    /// s_I.
    InputScale,
    /// I_q.
    InputCodes,
    /// max|A_i| over the calibration images.
    OutputRange,
    /// s_W.
    WeightScale,
    /// W_q.
    WeightCodes,
    /// s_O.
    OutputScale,
    /// β_q.
    BiasCodes,
    /// A layer's float output, its input being Karat's own.
    Float,
    /// A layer's float output on PyTorch's own input: exact where a layer only selects
    /// or copies.
    FloatIsolated,
    /// The float output of the last weighted layer, all tested images.
    Logits,
    /// int32 accumulators of the golden interpreter.
    Accumulators,
    /// int8 output of the golden interpreter.
    Codes,
    /// The real values of a layer's codes against its float output (eq. 18 to 21).
    Int8Error,
    /// int8 output of the network, all tested images.
    OutputCodes,
    /// Accumulators of a kernel set.
    KernelAccumulators(Isa),
    /// int8 output of a kernel set.
    KernelCodes(Isa),
    /// int8 output of the network on a kernel set, all tested images.
    KernelOutputCodes(Isa),
    /// Predicted classes of the float network.
    FloatPredictions,
    /// Predicted classes of the int8 network.
    Int8Predictions,
    /// The special values that the cases must hold.
    Coverage,
}

impl Claim {
    /// What a claim is part of, for the short table.
    pub fn family(self) -> String {
        match self {
            Self::NormalizedPixels
            | Self::InputRange
            | Self::InputScale
            | Self::OutputRange
            | Self::WeightScale
            | Self::WeightCodes
            | Self::OutputScale
            | Self::BiasCodes => "parameters".to_owned(),
            Self::Float | Self::FloatIsolated | Self::Logits => "float".to_owned(),
            Self::InputCodes | Self::Accumulators | Self::Codes | Self::OutputCodes => {
                "int8".to_owned()
            }
            Self::Int8Error => "int8 - float".to_owned(),
            Self::KernelAccumulators(isa)
            | Self::KernelCodes(isa)
            | Self::KernelOutputCodes(isa) => isa.to_string(),
            Self::FloatPredictions | Self::Int8Predictions => "predictions".to_owned(),
            Self::Coverage => "coverage".to_owned(),
        }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::NormalizedPixels => "normalized pixels",
            Self::InputRange => "range of I",
            Self::InputScale => "s_I",
            Self::InputCodes => "input codes",
            Self::OutputRange => "range of A",
            Self::WeightScale => "s_W",
            Self::WeightCodes => "weight codes",
            Self::OutputScale => "s_O",
            Self::BiasCodes => "bias codes",
            Self::Float => "float",
            Self::FloatIsolated => "float isolated",
            Self::Logits => "logits",
            Self::Accumulators => "accumulators",
            Self::Codes => "codes",
            Self::Int8Error => "int8 - float",
            Self::OutputCodes => "output codes",
            Self::KernelAccumulators(isa) => return write!(f, "accumulators ({isa})"),
            Self::KernelCodes(isa) => return write!(f, "codes ({isa})"),
            Self::KernelOutputCodes(isa) => return write!(f, "output codes ({isa})"),
            Self::FloatPredictions => "float predictions",
            Self::Int8Predictions => "int8 predictions",
            Self::Coverage => "coverage",
        };
        f.write_str(text)
    }
}

impl Serialize for Claim {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One comparison of Karat's numbers with PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The network, or "operators".
    pub network: String,
    /// The layer, or the case.
    pub layer: String,
    /// The shape of what was compared.
    pub shape: Vec<usize>,
    /// What was compared.
    pub claim: Claim,
    /// How it went.
    #[serde(flatten)]
    pub outcome: Outcome,
}
