//! Single operators: floats exact or within their bound, codes exact, and the special
//! values that make these cases worth having.

use fixtures::OperatorCase;
use fixtures::operator::{CaseKind, FloatCase, FloatOp, Int8Case};
use kernels::requantizer::{Channel, Requantizer, Stored};
use kernels::{Executor, Kernels};
use num_traits::ToPrimitive;
use quant::bounds::{Roundoff, add_disagreement, disagreement};
use quant::formulas::QMAX;
use quant::formulas::output::oiq;
use quant::{QuantError, QuantNetwork, Rounding, Scale, golden};
use reference::network::apply;
use reference::{InputSpec, Layer, Network, Op, ShapeError, Tensor, ops};
use serde::Serialize;

use super::Rows;
use crate::compare::{Same, exact, within};
use crate::{Claim, Outcome, Row};

/// How often the int8 cases hold the values on which implementations differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Accumulators whose quotient by s_O is exactly halfway between two codes.
    pub ties: usize,
    /// Outputs that clamp to −128.
    pub clamped_low: usize,
    /// Outputs that clamp to 127.
    pub clamped_high: usize,
    /// Inputs of −128.
    pub inputs_minus_128: usize,
    /// Weights of −128.
    pub weights_minus_128: usize,
    /// Accumulators beyond 2²⁴, which float32 does not all hold.
    pub beyond_f32: usize,
}

impl Coverage {
    /// The counts with their names.
    pub fn counts(&self) -> [(&'static str, usize); 6] {
        [
            ("rounding ties", self.ties),
            ("clamped to -128", self.clamped_low),
            ("clamped to 127", self.clamped_high),
            ("inputs of -128", self.inputs_minus_128),
            ("weights of -128", self.weights_minus_128),
            ("accumulators beyond 2^24", self.beyond_f32),
        ]
    }

    /// The sum of two coverages.
    pub fn plus(self, other: Self) -> Self {
        Self {
            ties: self.ties + other.ties,
            clamped_low: self.clamped_low + other.clamped_low,
            clamped_high: self.clamped_high + other.clamped_high,
            inputs_minus_128: self.inputs_minus_128 + other.inputs_minus_128,
            weights_minus_128: self.weights_minus_128 + other.weights_minus_128,
            beyond_f32: self.beyond_f32 + other.beyond_f32,
        }
    }

    /// A row for each count; none may be zero.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = Rows::new("operators");
        for (name, count) in self.counts() {
            let outcome = match count {
                0 => Outcome::incomparable("no case holds one"),
                compared => Outcome::Equal { compared },
            };
            rows.push(name, Claim::Coverage, &[], outcome);
        }
        rows.rows
    }

    fn of_accumulators(acc: &Tensor<i32>, output_scale: Scale) -> Self {
        let scale = output_scale.wide();
        let mut coverage = Self::default();
        for &acc in acc.data() {
            let acc = f64::from(acc);
            let doubled = (2.0 * acc / scale).round();
            // Exact: a code of 9 bits times a float32 fits float64.
            let tie = doubled % 2.0 != 0.0 && doubled * scale == 2.0 * acc;
            coverage.ties += usize::from(tie && doubled.abs() <= 4.0 * f64::from(QMAX));
            coverage.clamped_low += usize::from(acc / scale < -128.5);
            coverage.clamped_high += usize::from(acc / scale > 127.5);
            coverage.beyond_f32 += usize::from(acc.abs() > 16_777_216.0);
        }
        coverage
    }
}

/// Checks one case on the reference or the golden interpreter, and on every kernel set.
///
/// # Errors
/// The case's shapes do not fit together.
pub fn check_operator(
    case: &OperatorCase,
    kernel_sets: &[Kernels],
) -> Result<(Vec<Row>, Coverage), QuantError> {
    let mut rows = Rows::new("operators");
    let name = &case.name;
    let mut coverage = Coverage::default();
    match &case.kind {
        CaseKind::F64(case) => float(&mut rows, name, case)?,
        CaseKind::F32(case) => float(&mut rows, name, case)?,
        CaseKind::F16(case) => float(&mut rows, name, case)?,
        CaseKind::Bf16(case) => float(&mut rows, name, case)?,
        CaseKind::Int8(case) => {
            int8(&mut rows, name, case, kernel_sets)?;
            coverage = int8_coverage(case);
        }
        CaseKind::Requantize {
            accumulators,
            output_scale,
            output,
        } => {
            let codes = golden::requantize(accumulators, *output_scale, Rounding::TiesToEven);
            rows.push(name, Claim::Codes, codes.shape(), exact(output, &codes));
            for set in kernel_sets {
                // Without constants no kernel requantizes: an executor takes eq. 6, which the
                // row above is of.
                if let Some(codes) = requantized(*set, accumulators, *output_scale)? {
                    let claim = Claim::KernelCodes(set.isa());
                    rows.push(name, claim, output.shape(), exact(output, &codes));
                }
            }
            coverage = Coverage::of_accumulators(accumulators, *output_scale);
        }
    }
    Ok((rows.rows, coverage))
}

/// What a kernel set makes of accumulators anywhere in int32; `None` where it has no constants.
fn requantized(
    set: Kernels,
    accumulators: &Tensor<i32>,
    output_scale: Scale,
) -> Result<Option<Tensor<i8>>, ShapeError> {
    let channel = Channel {
        reach: i32::MIN..=i32::MAX,
        slope: 1.0 / output_scale.wide(),
        code: &|acc| i32::from(oiq(acc, output_scale, Rounding::TiesToEven)),
    };
    let certified = Requantizer::certify(&[channel], 0, Stored::Signed, Stored::Signed.codes());
    let Some(requantizer) = certified else {
        return Ok(None);
    };
    let mut codes = vec![0; accumulators.data().len()];
    set.requantize(accumulators.data(), &requantizer, &mut codes);
    let codes = codes.iter().map(|&code| (code ^ 0x80) as i8).collect();
    Tensor::new(accumulators.shape(), codes).map(Some)
}

fn float<E: Roundoff + Same + ToPrimitive>(
    rows: &mut Rows,
    name: &str,
    case: &FloatCase<E>,
) -> Result<(), ShapeError> {
    let got = match &case.op {
        FloatOp::Layer(op) => apply(op, &case.input)?,
        FloatOp::Add(other) => ops::add(&case.input, other)?,
    };
    let outcome = if case.dyadic {
        exact(&case.output, &got)
    } else {
        let bound = match &case.op {
            FloatOp::Layer(op) => disagreement(op, &case.input, &got, &case.input.map(|_| 0.0))?,
            FloatOp::Add(_) => add_disagreement(&got),
        };
        within(&case.output, &got, &bound)
    };
    rows.push(name, Claim::Float, got.shape(), outcome);
    Ok(())
}

fn int8(
    rows: &mut Rows,
    name: &str,
    case: &Int8Case,
    kernel_sets: &[Kernels],
) -> Result<(), QuantError> {
    // Proves that no sum overflows, before one is formed.
    let (network, input) = one_layer(case)?;
    let (acc, codes) = golden::apply(&case.op, &case.input, Rounding::TiesToEven)?;
    let compare =
        |rows: &mut Rows, acc: &Option<Tensor<i32>>, codes: &Tensor<i8>, claims: [Claim; 2]| {
            if let Some(expected) = &case.accumulators {
                let outcome = match acc {
                    Some(acc) => exact(expected, acc),
                    None => Outcome::incomparable("the layer has no accumulators"),
                };
                rows.push(name, claims[0], expected.shape(), outcome);
            }
            rows.push(
                name,
                claims[1],
                case.output.shape(),
                exact(&case.output, codes),
            );
        };
    compare(rows, &acc, &codes, [Claim::Accumulators, Claim::Codes]);

    for &set in kernel_sets {
        let trace = Executor::new(&network, set)?.trace_codes(input.clone())?;
        let claims = [
            Claim::KernelAccumulators(set.isa()),
            Claim::KernelCodes(set.isa()),
        ];
        let layer = trace.layers.last().expect("the case is a layer");
        compare(rows, &layer.accumulators, &layer.codes, claims);
    }
    Ok(())
}

/// The case as a network of its own, and its input as that network's.
fn one_layer(case: &Int8Case) -> Result<(QuantNetwork, Tensor<i8>), QuantError> {
    let mut shape = case.input.shape().to_vec();
    let mut layers = Vec::new();
    if let [_, _] = shape[..] {
        shape.extend([1, 1]);
        layers.push(Layer {
            name: "flatten".to_owned(),
            op: Op::Flatten,
        });
    }
    layers.push(Layer {
        name: "operator".to_owned(),
        op: case.op.clone(),
    });
    let [_, c, h, w] = reference::geometry::rank::<4>("input of an int8 case", &shape)?;
    let spec = InputSpec {
        shape: [c, h, w],
        mean: 0.0,
        std: 1.0,
    };
    let network = Network::new("operator", spec, layers)?;
    let network = QuantNetwork::new(network, Scale::new(1.0)?, Rounding::TiesToEven)?;
    Ok((network, case.input.clone().reshape(&shape)?))
}

fn int8_coverage(case: &Int8Case) -> Coverage {
    let minus_128 = |codes: &Tensor<i8>| codes.data().iter().filter(|&&q| q == i8::MIN).count();
    let mut coverage = Coverage {
        inputs_minus_128: minus_128(&case.input),
        ..Coverage::default()
    };
    if let Op::Conv2d { weights, .. } | Op::Linear { weights } = &case.op {
        coverage.weights_minus_128 = minus_128(&weights.weight);
        if let Some(acc) = &case.accumulators {
            coverage = coverage.plus(Coverage::of_accumulators(acc, weights.output_scale));
        }
    }
    coverage
}
