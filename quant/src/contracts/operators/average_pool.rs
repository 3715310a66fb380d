//! Average pool: the codes of a window become their mean.
//!
//! `S = Σ (x − z_i)` is what the codes stand for, in input steps; n is what they are divided by.
//! All contracts but one sum integers, and need nothing else of the codes.

use super::{Grid, OperatorContract, Site};
use crate::contracts::arithmetic::float::usable;
use crate::contracts::channel::Output;
use crate::contracts::{Clamp, Class, ContractError, Evidence};

/// A window, and the grids around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pooling {
    /// Of the codes.
    pub input: Grid,
    /// Of the mean; most libraries have that of the input.
    pub output: Grid,
    /// Codes in the window, 1 to 65,536: sums are exact in float32.
    pub terms: u32,
    /// Places in the window, those on padding as well; at most 65,536.
    pub window: u32,
    /// Whether padding is to count, as the real number 0: `count_include_pad`.
    pub padding_counts: bool,
    /// The codes that may come out, after the activation.
    pub clamp: Clamp,
}

impl Site for Pooling {
    fn check(&self) -> Result<(), ContractError> {
        self.input.check("input")?;
        self.output.check("output")?;
        self.clamp.check()?;
        let window = |count, why| Err(ContractError::Window { count, why });
        if self.terms == 0 || self.terms > self.window {
            return window(self.terms, "at least one code, at most as many as places");
        }
        if self.window > 1 << 16 {
            return window(self.window, "at most 65,536 places");
        }
        Ok(())
    }
}

impl Pooling {
    /// n, where the library heeds `count_include_pad`.
    fn divisor(&self) -> u32 {
        if self.padding_counts {
            self.window
        } else {
            self.terms
        }
    }

    /// For libraries that give the mean the grid of the codes.
    fn one_grid(&self) -> Result<(), ContractError> {
        if self.input == self.output {
            Ok(())
        } else {
            Err(ContractError::Rescaled)
        }
    }

    /// `terms · z_i`.
    fn zero(&self) -> i32 {
        // At most 2¹⁶ · 255.
        self.input.zero_point * self.terms as i32
    }

    fn last_step(&self) -> Output {
        Output::new(self.output.zero_point, self.clamp)
    }
}

/// An average pool with its constants.
pub trait AveragePool: std::fmt::Debug + Send + Sync {
    /// The code of the mean of a window's codes, `terms` of them, row by row.
    fn average(&self, codes: &[i32]) -> i32;
}

/// A library's way to average.
pub type AveragePoolContract = OperatorContract<Pooling, Box<dyn AveragePool>>;

/// `rne(f32(S·f32(1/n))) + z`: channels last, the channels of whole blocks of [`BLOCK_CHANNELS`];
/// avg_pool2d of fbgemm, x86 and onednn, and of qint8 under any engine.
pub const TORCH_BLOCK_OF_16: AveragePoolContract = OperatorContract {
    name: "pytorch-average-pool-block",
    class: Class::alone("average-before-zero-point"),
    formula: "rne(S·(1/n)) + z in float32; channels last, whole blocks of 16 channels",
    version: "torch 2.13.0, AVX512",
    source: "pytorch aten/src/ATen/native/quantized/cpu/kernels/QuantizedOpKernels.cpp",
    evidence: Evidence::Library,
    prepare: |pooling| {
        pooling.one_grid()?;
        Ok(Box::new(RoundedFirst(Reciprocal::new(pooling))))
    },
};

/// `rne(f32(f32(S·f32(1/n)) + z))`: channels first, and the channels after the last whole
/// block; avg_pool2d and adaptive_avg_pool2d alike.
pub const TORCH: AveragePoolContract = OperatorContract {
    name: "pytorch-average-pool",
    class: Class::alone("average-after-zero-point"),
    formula: "rne(S·(1/n) + z) in float32; channels first, and after the last whole block",
    prepare: |pooling| {
        pooling.one_grid()?;
        Ok(Box::new(AddedInFloat(Reciprocal::new(pooling))))
    },
    ..TORCH_BLOCK_OF_16
};

/// `rne(fma(S, f32(1/n), z))`: adaptive_avg_pool2d, channels last, the channels of whole blocks
/// of [`ADAPTIVE_BLOCK_CHANNELS`]; engines as above.
pub const TORCH_ADAPTIVE_BLOCK: AveragePoolContract = OperatorContract {
    name: "pytorch-adaptive-average-pool-block",
    class: Class::alone("average-fused"),
    formula: "rne(fma(S, 1/n, z)) in float32; channels last, whole blocks of 8 channels",
    prepare: |pooling| {
        pooling.one_grid()?;
        Ok(Box::new(Fused(Reciprocal::new(pooling))))
    },
    ..TORCH_BLOCK_OF_16
};

const AWAY: Class = Class {
    name: "average-away",
    equal_because: "the same integer division in LiteRT, whichever kernels it uses, and in \
                    TFLite Micro",
};

/// `R > 0 ? (R + n/2)/n : (R − n/2)/n` in C, R the sum of the codes as they are: away from the
/// code 0, which the zero point does not move. n is the number of codes.
pub const LITERT: AveragePoolContract = OperatorContract {
    name: "litert-average-pool",
    class: AWAY,
    formula: "away(R/n), R the sum of codes, zero points in it; reference, optimized and default",
    version: "ai-edge-litert 2.3.0",
    source: "google-ai-edge/LiteRT tflite/kernels/internal/reference/integer_ops/pooling.h",
    evidence: Evidence::Library,
    prepare: |pooling| {
        pooling.one_grid()?;
        if pooling.padding_counts && pooling.window != pooling.terms {
            let count = pooling.window;
            let why = "padding never counts";
            return Err(ContractError::Window { count, why });
        }
        Ok(Box::new(Integer {
            terms: pooling.terms.into(),
            clamp: pooling.clamp,
        }))
    },
};

/// The same.
pub const TFLITE_MICRO: AveragePoolContract = OperatorContract {
    name: "tflite-micro-average-pool",
    version: "tflite-micro dev20261023",
    ..LITERT
};

const RESCALED: Class = Class {
    name: "average-rescaled",
    equal_because: "one float32 multiplier of scales and count, formed in one order, the zero \
                    point after rounding",
};

/// `m = f32(F(s_i) / f32(F(s_o)·n))`, `rne(f32(S·m)) + z`: every channel of either layout,
/// avg_pool2d and adaptive_avg_pool2d of quint8. Both scales are one, but m is not always
/// `f32(1/n)`; n is the whole window even where padding is not to count.
pub const QNNPACK: AveragePoolContract = OperatorContract {
    name: "pytorch-average-pool-qnnpack",
    class: RESCALED,
    formula: "rne(S·m) + z, m = s/(s·n) in float32; n the whole window, count_include_pad or not",
    version: "torch 2.13.0",
    source: "pytorch aten/src/ATen/native/quantized/cpu/qnnpack/src/average-pooling.c",
    evidence: Evidence::Library,
    prepare: |pooling| {
        pooling.one_grid()?;
        Ok(Box::new(RoundedFirst(Reciprocal::rescaling(pooling)?)))
    },
};

/// The same between two grids: QLinearGlobalAveragePool, and QLinearAveragePool where the
/// window is the whole image, in both layouts.
pub const ORT_GLOBAL: AveragePoolContract = OperatorContract {
    name: "onnxruntime-qlinear-global-average-pool",
    class: RESCALED,
    formula: "rne(S·m) + z, m = si/(so·n) in float32; also where the window is the whole image",
    version: "onnxruntime 1.31.1",
    source: "microsoft/onnxruntime onnxruntime/core/mlas/lib/qlgavgpool.cpp",
    evidence: Evidence::Library,
    prepare: |pooling| {
        if pooling.window != pooling.terms {
            let count = pooling.window;
            let why = "the whole image has no padding";
            return Err(ContractError::Window { count, why });
        }
        Ok(Box::new(RoundedFirst(Reciprocal::rescaling(pooling)?)))
    },
};

/// Every code dequantized, `f32((x − z_i)·F(s_i))`; A their sum, rounded to float32 at every
/// step, row by row; `rne(f32(f32(f32(A/n)/F(s_o)) + z))`: QLinearAveragePool, in both layouts.
pub const ORT: AveragePoolContract = OperatorContract {
    name: "onnxruntime-qlinear-average-pool",
    class: Class::alone("average-of-float"),
    formula: "rne(A/n/so + z), A the float32 sum of (x - zi)·si in order",
    source: "microsoft/onnxruntime onnxruntime/contrib_ops/cpu/quantization/qlinear_pool.cc",
    prepare: |pooling| {
        Ok(Box::new(Dequantized {
            input_scale: pooling.input.scale_f32(),
            input_zero_point: pooling.input.zero_point,
            divisor: pooling.divisor() as f32,
            output_scale: pooling.output.scale_f32(),
            output: pooling.last_step(),
        }))
    },
    ..ORT_GLOBAL
};

/// Channels that avg_pool2d averages at once, channels last with AVX512: channel c of C is in a
/// block where `c < C / BLOCK_CHANNELS * BLOCK_CHANNELS`.
pub const BLOCK_CHANNELS: usize = 16;

/// The same of adaptive_avg_pool2d.
pub const ADAPTIVE_BLOCK_CHANNELS: usize = 8;

/// Every contract, those of a class side by side.
pub const ALL: &[AveragePoolContract] = &[
    TORCH_BLOCK_OF_16,
    TORCH,
    TORCH_ADAPTIVE_BLOCK,
    QNNPACK,
    ORT_GLOBAL,
    ORT,
    LITERT,
    TFLITE_MICRO,
];

/// The contract of this name.
pub fn find(name: &str) -> Option<&'static AveragePoolContract> {
    ALL.iter().find(|contract| contract.name == name)
}

/// As they are, zero points still in it.
fn sum(codes: &[i32]) -> i64 {
    codes.iter().map(|&code| i64::from(code)).sum()
}

/// `S · factor`, before rounding.
#[derive(Debug)]
struct Reciprocal {
    factor: f32,
    zero: i32,
    output: Output,
}

impl Reciprocal {
    /// `f32(1/n)`.
    fn new(pooling: &Pooling) -> Self {
        Self {
            factor: 1.0 / pooling.divisor() as f32,
            zero: pooling.zero(),
            output: pooling.last_step(),
        }
    }

    /// `f32(F(s_i) / f32(F(s_o)·n))`, n the whole window.
    fn rescaling(pooling: &Pooling) -> Result<Self, ContractError> {
        let (input, output) = (pooling.input.scale_f32(), pooling.output.scale_f32());
        let multiplier = input / (output * pooling.window as f32);
        Ok(Self {
            factor: usable(multiplier, pooling.input.scale / pooling.output.scale)?,
            zero: pooling.zero(),
            output: pooling.last_step(),
        })
    }

    /// S, exactly.
    fn steps(&self, codes: &[i32]) -> f32 {
        (sum(codes) - i64::from(self.zero)) as f32
    }
}

#[derive(Debug)]
struct RoundedFirst(Reciprocal);

impl AveragePool for RoundedFirst {
    fn average(&self, codes: &[i32]) -> i32 {
        let Reciprocal { factor, output, .. } = &self.0;
        output.round_then_add(self.0.steps(codes) * factor)
    }
}

#[derive(Debug)]
struct AddedInFloat(Reciprocal);

impl AveragePool for AddedInFloat {
    fn average(&self, codes: &[i32]) -> i32 {
        let Reciprocal { factor, output, .. } = &self.0;
        output.round(self.0.steps(codes) * factor + output.zero_point as f32)
    }
}

#[derive(Debug)]
struct Fused(Reciprocal);

impl AveragePool for Fused {
    fn average(&self, codes: &[i32]) -> i32 {
        let Reciprocal { factor, output, .. } = &self.0;
        let steps = self.0.steps(codes);
        output.round(steps.mul_add(*factor, output.zero_point as f32))
    }
}

#[derive(Debug)]
struct Integer {
    terms: i64,
    clamp: Clamp,
}

impl AveragePool for Integer {
    fn average(&self, codes: &[i32]) -> i32 {
        let (sum, half) = (sum(codes), self.terms / 2);
        // Integer division truncates, as C's.
        let mean = if sum > 0 {
            (sum + half) / self.terms
        } else {
            (sum - half) / self.terms
        };
        // Within the clamp, so within int32.
        mean.clamp(self.clamp.low.into(), self.clamp.high.into()) as i32
    }
}

#[derive(Debug)]
struct Dequantized {
    input_scale: f32,
    input_zero_point: i32,
    divisor: f32,
    output_scale: f32,
    output: Output,
}

impl AveragePool for Dequantized {
    fn average(&self, codes: &[i32]) -> i32 {
        let real = |code: i32| code.wrapping_sub(self.input_zero_point) as f32 * self.input_scale;
        let sum = codes.iter().fold(0.0, |sum, &code| sum + real(code));
        let steps = sum / self.divisor / self.output_scale;
        self.output.round(steps + self.output.zero_point as f32)
    }
}
