//! Add: two codes, each on its own grid, become one on a third.

use super::{Grid, OperatorContract, Site};
use crate::Rounding;
use crate::contracts::arithmetic::float::{frexp, usable};
use crate::contracts::arithmetic::q31::Multiplier;
use crate::contracts::arithmetic::shift::shift_right;
use crate::contracts::channel::Output;
use crate::contracts::{Clamp, Class, ContractError, Evidence};

/// The grids around an add: s_a, z_a and s_b, z_b of its inputs, s_o, z of its output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Addition {
    /// Of the first input.
    pub first: Grid,
    /// Of the second input.
    pub second: Grid,
    /// Of the output.
    pub output: Grid,
    /// The codes that may come out, after the activation: from z on after a ReLU.
    pub clamp: Clamp,
}

impl Site for Addition {
    fn check(&self) -> Result<(), ContractError> {
        self.first.check("first input")?;
        self.second.check("second input")?;
        self.output.check("output")?;
        self.clamp.check()
    }
}

impl Addition {
    fn grids(&self) -> [Grid; 2] {
        [self.first, self.second]
    }

    fn zero_points(&self) -> [i32; 2] {
        self.grids().map(|grid| grid.zero_point)
    }

    /// `f32(F(s_a)/F(s_o))`, `f32(F(s_b)/F(s_o))`.
    fn ratios(&self) -> Result<[f32; 2], ContractError> {
        let of = |grid: Grid| {
            let ratio = grid.scale_f32() / self.output.scale_f32();
            usable(ratio, grid.scale / self.output.scale)
        };
        Ok([of(self.first)?, of(self.second)?])
    }

    fn last_step(&self) -> Output {
        Output::new(self.output.zero_point, self.clamp)
    }
}

/// An add with its constants.
pub trait Add: std::fmt::Debug + Send + Sync {
    /// The code of the sum; the codes are −128 to 255, other integers give some code.
    fn add(&self, first: i32, second: i32) -> i32;
}

/// A library's way to add.
pub type AddContract = OperatorContract<Addition, Box<dyn Add>>;

/// `A = fma(F(s_a), a, f32(F(s_a)·−z_a))`, B alike; `rne(f32(f32(A + B)·f32(1/F(s_o)))) + z`.
///
/// In whole blocks of [`TORCH_BLOCK`] codes; engines fbgemm, x86 and onednn, and qint8 of any.
pub const TORCH_BLOCK_OF_64: AddContract = OperatorContract {
    name: "pytorch-add-block",
    class: Class::alone("add-float-before-zero-point"),
    formula: "rne((A + B)·(1/so)) + z in float32, A = fma(sa, a, -sa·za); whole blocks of 64",
    version: "torch 2.13.0, AVX512",
    source: "pytorch aten/src/ATen/native/quantized/cpu/kernels/QuantizedOpKernels.cpp",
    evidence: Evidence::Library,
    prepare: |addition| Ok(Box::new(Block(Floats::new(addition)?))),
};

/// `A = f32((a − z_a)·F(s_a))`, B alike; `rne(f32(f32(f32(A + B)·f32(1/F(s_o))) + z))`.
///
/// What is left over after the blocks.
pub const TORCH_TAIL: AddContract = OperatorContract {
    name: "pytorch-add-tail",
    class: Class::alone("add-float-after-zero-point"),
    formula: "rne((A + B)·(1/so) + z) in float32, A = (a - za)·sa; after the last whole block of 64",
    prepare: |addition| Ok(Box::new(Tail(Floats::new(addition)?))),
    ..TORCH_BLOCK_OF_64
};

/// `r = f32(F(s_a)/F(s_o))`, `t = 21 − floor(log2(max r))`, `M = rne(r·2^t)`, each input's;
/// `away((M_a(a − z_a) + M_b(b − z_b)) / 2^t) + z`.
pub const QNNPACK: AddContract = OperatorContract {
    name: "pytorch-add-qnnpack",
    class: Class::alone("add-22-bits-away"),
    formula: "away((Ma·(a - za) + Mb·(b - zb)) / 2^t) + z, M = rne(sa/so·2^t), the larger 22 bits",
    version: "torch 2.13.0",
    source: "pytorch aten/src/ATen/native/quantized/cpu/qnnpack/src/add.c",
    evidence: Evidence::Library,
    prepare: |addition| {
        let bounds = 2f32.powi(-14)..2f32.powi(8);
        Ok(Box::new(FixedPoint::new(
            addition,
            21,
            Rounding::TiesAwayFromZero,
            &bounds,
        )?))
    },
};

/// The same with 21 bits, rounded up; LiteRT's default.
pub const XNNPACK: AddContract = OperatorContract {
    name: "litert-add-xnnpack",
    class: Class::alone("add-21-bits-up"),
    formula: "(Ma·(a - za) + Mb·(b - zb) + 2^(t-1)) >> t, + z, M = rne(sa/so·2^t), the larger 21 bits",
    version: "ai-edge-litert 2.3.0",
    source: "google/XNNPACK src/microparams-init.c, qs8-vadd",
    evidence: Evidence::Library,
    prepare: |addition| {
        let bounds = 2f32.powi(-10)..2f32.powi(8);
        Ok(Box::new(FixedPoint::new(
            addition,
            20,
            Rounding::HalfUp,
            &bounds,
        )?))
    },
};

const Q31: Class = Class {
    name: "add-31-bits",
    equal_because: "LiteRT's kernels with and without its optimizations, and TFLite Micro's, \
                    call one function for each pair",
};

/// `twice = 2·max(s_a, s_b)`; `A = MBQM((a − z_a) << 20, s_a/twice)`, B alike;
/// `MBQM(A + B, twice/(2²⁰·s_o)) + z`. MBQM is that of requantization: rounded up and away.
pub const LITERT: AddContract = OperatorContract {
    name: "litert-add",
    class: Q31,
    formula: "three products with 31-bit multipliers after a left shift by 20, each rounded up and away",
    version: "ai-edge-litert 2.3.0",
    source: "google-ai-edge/LiteRT tflite/kernels/internal/reference/integer_ops/add.h",
    evidence: Evidence::Library,
    prepare: |addition| Ok(Box::new(Shifted::new(addition)?)),
};

/// The same.
pub const TFLITE_MICRO: AddContract = OperatorContract {
    name: "tflite-micro-add",
    version: "tflite-micro dev20261023",
    ..LITERT
};

/// `r` as in qnnpack; `c = f32(z − fma(r_a, z_a, f32(r_b·z_b)))`;
/// `rne(fma(a, r_a, fma(b, r_b, c)))`: the zero point is in before rounding.
pub const ORT: AddContract = OperatorContract {
    name: "onnxruntime-qlinear-add",
    class: Class::alone("add-fused"),
    formula: "rne(fma(a, ra, fma(b, rb, c))), c = z - fma(ra, za, rb·zb), ra = sa/so in float32",
    version: "onnxruntime 1.31.1",
    source: "microsoft/onnxruntime onnxruntime/core/mlas/lib/qladd.cpp",
    evidence: Evidence::Library,
    prepare: |addition| {
        let [first, second] = addition.ratios()?;
        let [first_zero, second_zero] = addition.zero_points().map(|zero| zero as f32);
        let zeros = first.mul_add(first_zero, second * second_zero);
        Ok(Box::new(Ratios {
            first,
            second,
            constant: addition.output.zero_point as f32 - zeros,
            output: addition.last_step(),
        }))
    },
};

/// Codes that PyTorch's engines with AVX512 add at once: code i of a call's n is in a block
/// where `i < n / TORCH_BLOCK * TORCH_BLOCK`.
pub const TORCH_BLOCK: usize = 64;

/// Every contract, those of a class side by side.
pub const ALL: &[AddContract] = &[
    TORCH_BLOCK_OF_64,
    TORCH_TAIL,
    QNNPACK,
    XNNPACK,
    LITERT,
    TFLITE_MICRO,
    ORT,
];

/// The contract of this name.
pub fn find(name: &str) -> Option<&'static AddContract> {
    ALL.iter().find(|contract| contract.name == name)
}

#[derive(Debug)]
struct Floats {
    scales: [f32; 2],
    zero_points: [i32; 2],
    output_inverse: f32,
    output: Output,
}

impl Floats {
    fn new(addition: &Addition) -> Result<Self, ContractError> {
        let output_inverse = usable(addition.output.inverse_f32(), addition.output.scale)?;
        Ok(Self {
            scales: addition.grids().map(Grid::scale_f32),
            zero_points: addition.zero_points(),
            output_inverse,
            output: addition.last_step(),
        })
    }
}

impl Floats {
    /// The sum of two dequantized codes in steps of the output: `real` of code, scale, zero point.
    fn steps(&self, codes: [i32; 2], real: impl Fn(i32, f32, i32) -> f32) -> f32 {
        let [a, b] = [0, 1].map(|i| real(codes[i], self.scales[i], self.zero_points[i]));
        (a + b) * self.output_inverse
    }
}

#[derive(Debug)]
struct Block(Floats);

impl Add for Block {
    fn add(&self, first: i32, second: i32) -> i32 {
        let real = |code: i32, scale: f32, zero_point: i32| {
            scale.mul_add(code as f32, scale * -zero_point as f32)
        };
        self.0
            .output
            .round_then_add(self.0.steps([first, second], real))
    }
}

#[derive(Debug)]
struct Tail(Floats);

impl Add for Tail {
    fn add(&self, first: i32, second: i32) -> i32 {
        let real =
            |code: i32, scale: f32, zero_point: i32| code.wrapping_sub(zero_point) as f32 * scale;
        let output = self.0.output;
        output.round(self.0.steps([first, second], real) + output.zero_point as f32)
    }
}

#[derive(Debug)]
struct FixedPoint {
    multipliers: [i64; 2],
    zero_points: [i32; 2],
    shift: u32,
    rounding: Rounding,
    output: Output,
}

impl FixedPoint {
    /// The larger multiplier is 2^bits to 2^(bits+1); both ratios must lie within `bounds`.
    fn new(
        addition: &Addition,
        bits: i32,
        rounding: Rounding,
        bounds: &std::ops::Range<f32>,
    ) -> Result<Self, ContractError> {
        let ratios = addition.ratios()?;
        for ratio in ratios {
            let multiplier = f64::from(ratio);
            if ratio >= bounds.end {
                let why = "an input scale is 256 output scales or more";
                return Err(ContractError::MultiplierTooLarge { multiplier, why });
            }
            if ratio < bounds.start {
                let why = "an input scale is too small a part of the output scale";
                return Err(ContractError::MultiplierTooSmall { multiplier, why });
            }
        }
        let [first, second] = ratios.map(f64::from);
        // floor(log2 x) of x = f·2^e with f in [½, 1).
        let (_, exponent) = frexp(first.max(second));
        // Within the bounds at least 13 and at most 35.
        let shift = bits - (exponent - 1);
        let multiplier = |ratio: f64| (ratio * 2f64.powi(shift)).round_ties_even() as i64;
        Ok(Self {
            multipliers: [multiplier(first), multiplier(second)],
            zero_points: addition.zero_points(),
            shift: shift.unsigned_abs(),
            rounding,
            output: addition.last_step(),
        })
    }
}

impl Add for FixedPoint {
    fn add(&self, first: i32, second: i32) -> i32 {
        let [multiplier_a, multiplier_b] = self.multipliers;
        let [zero_a, zero_b] = self.zero_points.map(i64::from);
        let acc = multiplier_a * (i64::from(first) - zero_a)
            + multiplier_b * (i64::from(second) - zero_b);
        self.output
            .code(shift_right(acc, self.shift, self.rounding))
    }
}

#[derive(Debug)]
struct Shifted {
    inputs: [Multiplier; 2],
    sum: Multiplier,
    zero_points: [i32; 2],
    output: Output,
}

impl Shifted {
    /// Bits that inputs are shifted left: 255 steps stay below 2²⁸.
    const LEFT: u32 = 20;

    fn new(addition: &Addition) -> Result<Self, ContractError> {
        let [first, second] = addition.grids().map(|grid| f64::from(grid.scale_f32()));
        let output = f64::from(addition.output.scale_f32());
        let twice = 2.0 * first.max(second);
        let multiplier = twice / (f64::from(1 << Self::LEFT) * output);
        if multiplier >= 1.0 {
            let why = "an input scale is 2^19 output scales or more";
            return Err(ContractError::MultiplierTooLarge { multiplier, why });
        }
        Ok(Self {
            inputs: [
                Multiplier::from_real(first / twice)?,
                Multiplier::from_real(second / twice)?,
            ],
            sum: Multiplier::from_real(multiplier)?,
            zero_points: addition.zero_points(),
            output: addition.last_step(),
        })
    }
}

impl Add for Shifted {
    fn add(&self, first: i32, second: i32) -> i32 {
        let [zero_a, zero_b] = self.zero_points;
        let a = self.inputs[0].double(first.wrapping_sub(zero_a) << Self::LEFT);
        let b = self.inputs[1].double(second.wrapping_sub(zero_b) << Self::LEFT);
        // Of codes, each is at most half of 383 · 2²⁰.
        self.output.code(self.sum.double((a + b) as i32))
    }
}

#[derive(Debug)]
struct Ratios {
    first: f32,
    second: f32,
    constant: f32,
    output: Output,
}

impl Add for Ratios {
    fn add(&self, first: i32, second: i32) -> i32 {
        let sum = (second as f32).mul_add(self.second, self.constant);
        self.output.round((first as f32).mul_add(self.first, sum))
    }
}
