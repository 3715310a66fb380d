//! Quantize: a float32 value becomes a code.
//!
//! Ties and their neighbours tell the contracts apart: is the value divided by the scale or
//! multiplied by its reciprocal, is the zero point added before rounding or after it, and are
//! that product and that sum rounded once (fma) or twice?

use super::{Grid, OperatorContract, Site};
use crate::contracts::arithmetic::float::usable;
use crate::contracts::channel::Output;
use crate::contracts::{Clamp, Class, ContractError, Evidence};

/// The grid that values are brought to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// Scale and zero point.
    pub grid: Grid,
    /// The codes there are.
    pub clamp: Clamp,
}

impl Site for Target {
    fn check(&self) -> Result<(), ContractError> {
        self.grid.check("output")?;
        self.clamp.check()
    }
}

/// A quantization with its constants.
pub trait Quantize: std::fmt::Debug + Send + Sync {
    /// The code of a value; NaN has none that a source defines.
    fn quantize(&self, real: f32) -> i32;

    /// The largest magnitude for which the source defines a result: infinite where values are
    /// clamped as floats, else 2³⁰ steps, since an int32 conversion may overflow beyond.
    fn largest(&self) -> f32 {
        f32::INFINITY
    }
}

/// A library's way to quantize.
pub type QuantizeContract = OperatorContract<Target, Box<dyn Quantize>>;

/// `rne(fma(x, f32(1/F(s)), z))`: product and sum are rounded once.
///
/// The fma comes of how the wheel was compiled; other builds may round twice.
pub const TORCH_PER_TENSOR: QuantizeContract = OperatorContract {
    name: "pytorch-quantize-per-tensor",
    class: Class::alone("quantize-fused"),
    formula: "rne(fma(x, 1/s, z)) in float32",
    version: "torch 2.13.0",
    source: "pytorch aten/src/ATen/native/quantized/AffineQuantizer.cpp, fbgemm Quantize",
    evidence: Evidence::Library,
    prepare: |target| {
        Ok(Box::new(Fused {
            inverse: inverse(target)?,
            output: output(target),
        }))
    },
};

/// `rne(f32(f32(x·f32(1/F(s))) + z))`: the same, rounded twice.
pub const TORCH_PER_CHANNEL: QuantizeContract = OperatorContract {
    name: "pytorch-quantize-per-channel",
    class: Class::alone("quantize-added-in-float"),
    formula: "rne(x·(1/s) + z) in float32",
    prepare: |target| {
        Ok(Box::new(AddedInFloat {
            inverse: inverse(target)?,
            output: output(target),
        }))
    },
    ..TORCH_PER_TENSOR
};

const RECIPROCAL: Class = Class {
    name: "quantize-reciprocal",
    equal_because: "one float32 reciprocal, the zero point after rounding; clamping before or \
                    after it is the same for a monotone rounding and integer bounds",
};

/// `clamp(rne(f32(x·f32(1/F(s)))) + z)`: per tensor and per channel.
pub const TORCH_FAKE: QuantizeContract = OperatorContract {
    name: "pytorch-fake-quantize",
    class: RECIPROCAL,
    formula: "rne(x·(1/s)) + z in float32",
    source: "pytorch aten/src/ATen/native/quantized/cpu/kernels/QuantizedOpKernels.cpp",
    prepare: |target| rounded_first(inverse(target)?, target, Limit::Steps(30)),
    ..TORCH_PER_TENSOR
};

/// `clamp(rne(f32(x·f32(1/s))) + z)`, the reciprocal of the float64 scale: as fake quantize
/// for scales that are float32.
pub const PT2E_DECOMPOSED: QuantizeContract = OperatorContract {
    name: "pt2e-decomposed-quantize",
    class: Class::alone("quantize-reciprocal-of-float64"),
    formula: "rne(x·(1/s)) + z in float32, 1/s in float64",
    source: "pytorch torch/ao/quantization/fx/_decomposed.py",
    prepare: |target| {
        let inverse = usable((1.0 / target.grid.scale) as f32, target.grid.scale)?;
        rounded_first(inverse, target, Limit::None)
    },
    ..TORCH_PER_TENSOR
};

/// `rne(clamp(f32(x/F(s)))) + z`: a true division.
pub const ORT: QuantizeContract = OperatorContract {
    name: "onnxruntime-quantize-linear",
    class: Class::alone("quantize-divided"),
    formula: "rne(x/s) + z in float32",
    version: "onnxruntime 1.31.1",
    source: "microsoft/onnxruntime onnxruntime/core/mlas/lib/quantize.cpp",
    evidence: Evidence::Library,
    prepare: |target| {
        Ok(Box::new(Divided {
            scale: target.grid.scale_f32(),
            output: output(target),
        }))
    },
};

const AWAY: Class = Class {
    name: "quantize-divided-away",
    equal_because: "TFLite Micro compiles LiteRT's reference kernel",
};

/// `clamp(away(f32(x/F(s))) + z)`.
pub const LITERT_REFERENCE: QuantizeContract = OperatorContract {
    name: "litert-quantize-reference",
    class: AWAY,
    formula: "away(x/s) + z in float32",
    version: "ai-edge-litert 2.3.0",
    source: "google-ai-edge/LiteRT tflite/kernels/internal/reference/quantize.h",
    evidence: Evidence::Library,
    prepare: |target| {
        Ok(Box::new(DividedAway {
            scale: target.grid.scale_f32(),
            output: output(target),
        }))
    },
};

/// The same; int8 only.
pub const TFLITE_MICRO: QuantizeContract = OperatorContract {
    name: "tflite-micro-quantize",
    version: "tflite-micro dev20261023",
    ..LITERT_REFERENCE
};

/// Whole blocks of [`LITERT_BLOCK`] values: as fake quantize.
pub const LITERT_OPTIMIZED_BLOCK: QuantizeContract = OperatorContract {
    name: "litert-quantize-optimized-block",
    class: RECIPROCAL,
    formula: "rne(x·(1/s)) + z in float32; whole blocks of 8",
    source: "google-ai-edge/LiteRT tflite/kernels/internal/optimized/optimized_ops.h",
    prepare: |target| rounded_first(inverse(target)?, target, Limit::Steps(30)),
    ..LITERT_REFERENCE
};

/// What is left over after the blocks: `clamp(away(x/F(s)) + z)` in float64.
pub const LITERT_OPTIMIZED_TAIL: QuantizeContract = OperatorContract {
    name: "litert-quantize-optimized-tail",
    class: Class::alone("quantize-divided-in-float64-away"),
    formula: "away(x/s) + z in float64; the values after the last whole block of 8",
    prepare: |target| {
        Ok(Box::new(DividedInDouble {
            scale: target.grid.scale_f32(),
            output: output(target),
        }))
    },
    ..LITERT_OPTIMIZED_BLOCK
};

/// As fake quantize: LiteRT's default.
pub const XNNPACK: QuantizeContract = OperatorContract {
    name: "litert-quantize-xnnpack",
    class: RECIPROCAL,
    formula: "rne(x·(1/s)) + z in float32; LiteRT's default",
    source: "google/XNNPACK src/microparams-init.c, f32-qs8-vcvt",
    prepare: |target| rounded_first(inverse(target)?, target, Limit::None),
    ..LITERT_REFERENCE
};

/// Values that LiteRT's optimized kernel converts at once: value i of n is in a block where
/// `i < n / LITERT_BLOCK * LITERT_BLOCK`.
pub const LITERT_BLOCK: usize = 8;

/// Every contract, those of a class side by side.
pub const ALL: &[QuantizeContract] = &[
    TORCH_PER_TENSOR,
    TORCH_PER_CHANNEL,
    TORCH_FAKE,
    LITERT_OPTIMIZED_BLOCK,
    XNNPACK,
    PT2E_DECOMPOSED,
    ORT,
    LITERT_REFERENCE,
    TFLITE_MICRO,
    LITERT_OPTIMIZED_TAIL,
];

/// The contract of this name.
pub fn find(name: &str) -> Option<&'static QuantizeContract> {
    ALL.iter().find(|contract| contract.name == name)
}

fn output(target: &Target) -> Output {
    Output::new(target.grid.zero_point, target.clamp)
}

/// `f32(1/F(s))`.
fn inverse(target: &Target) -> Result<f32, ContractError> {
    usable(target.grid.inverse_f32(), target.grid.scale)
}

/// Up to which magnitude there is a result.
enum Limit {
    /// Infinities saturate.
    None,
    /// So many powers of two of steps.
    Steps(i32),
}

fn rounded_first(
    inverse: f32,
    target: &Target,
    limit: Limit,
) -> Result<Box<dyn Quantize>, ContractError> {
    Ok(Box::new(RoundedFirst {
        inverse,
        output: output(target),
        largest: match limit {
            Limit::None => f32::INFINITY,
            Limit::Steps(bits) => target.grid.scale_f32() * 2f32.powi(bits),
        },
    }))
}

#[derive(Debug)]
struct Fused {
    inverse: f32,
    output: Output,
}

impl Quantize for Fused {
    fn quantize(&self, real: f32) -> i32 {
        let zero_point = self.output.zero_point as f32;
        self.output.round(real.mul_add(self.inverse, zero_point))
    }
}

#[derive(Debug)]
struct AddedInFloat {
    inverse: f32,
    output: Output,
}

impl Quantize for AddedInFloat {
    fn quantize(&self, real: f32) -> i32 {
        let zero_point = self.output.zero_point as f32;
        self.output.round(real * self.inverse + zero_point)
    }
}

#[derive(Debug)]
struct RoundedFirst {
    inverse: f32,
    output: Output,
    largest: f32,
}

impl Quantize for RoundedFirst {
    fn quantize(&self, real: f32) -> i32 {
        self.output.round_then_add(real * self.inverse)
    }

    fn largest(&self) -> f32 {
        self.largest
    }
}

#[derive(Debug)]
struct Divided {
    scale: f32,
    output: Output,
}

impl Quantize for Divided {
    fn quantize(&self, real: f32) -> i32 {
        self.output.round_then_add(real / self.scale)
    }
}

#[derive(Debug)]
struct DividedAway {
    scale: f32,
    output: Output,
}

impl Quantize for DividedAway {
    fn quantize(&self, real: f32) -> i32 {
        // f32::round rounds halves away from zero; the cast saturates.
        self.output.code((real / self.scale).round() as i64)
    }

    fn largest(&self) -> f32 {
        self.scale * 2f32.powi(30)
    }
}

#[derive(Debug)]
struct DividedInDouble {
    scale: f32,
    output: Output,
}

impl Quantize for DividedInDouble {
    fn quantize(&self, real: f32) -> i32 {
        let steps = f64::from(real) / f64::from(self.scale);
        self.output.code(steps.round() as i64)
    }

    fn largest(&self) -> f32 {
        self.scale * 2f32.powi(30)
    }
}
