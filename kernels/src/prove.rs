//! Are the kernels the golden interpreter, to the bit? Random cases of every kernel on every
//! instruction set of this CPU.
//!
//! A case is a small network made from a seed: sizes around the edges of tiles and vectors,
//! codes and weights at the ends of their range, scales that put accumulators on ties. The
//! golden interpreter traces it; every kernel set must trace the same accumulators and codes
//! layer by layer, and give the same codes with its layers fused.

mod case;

use std::fmt;

use quant::golden::Trace;
use quant::prove::Random;
use quant::{QuantNetwork, Rounding};
use reference::Tensor;

use crate::{Executor, Isa, Kernels};

/// What a case exercises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any convolution: stride, padding, dilation, groups.
    Conv2d,
    /// Few channels in, so that pixels lie in the lanes.
    FewChannels,
    /// One channel a group.
    Depthwise,
    /// A convolution with a ReLU and a max-pool after it, in any order.
    Fused,
    /// Rows of features times a matrix.
    Linear,
    /// Max-pool, average pool, ReLU by themselves.
    Pools,
    /// Several layers of all kinds.
    Network,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Conv2d,
        Self::FewChannels,
        Self::Depthwise,
        Self::Fused,
        Self::Linear,
        Self::Pools,
        Self::Network,
    ];

    /// What it is called in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Conv2d => "conv2d",
            Self::FewChannels => "few channels",
            Self::Depthwise => "depthwise",
            Self::Fused => "fused",
            Self::Linear => "linear",
            Self::Pools => "pools",
            Self::Network => "networks",
        }
    }
}

/// A kernel set that differs from the golden interpreter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Which set.
    pub isa: Isa,
    /// The case.
    pub case: String,
    /// The layer, whether accumulators or codes, where, and both values.
    pub at: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n  in {}", self.isa, self.at, self.case)
    }
}

/// Runs the case of a seed on every set. What it had in it; `None` if its accumulators do not
/// fit int32, so that there is no such network.
///
/// # Errors
/// The first set that differs, and where.
pub fn case(
    kind: Kind,
    seed: u64,
    sets: &[Kernels],
) -> Result<Option<Vec<&'static str>>, Box<Mismatch>> {
    let mut random = Random::new(seed);
    let Some((network, input)) = case::make(kind, &mut random) else {
        return Ok(None);
    };
    let Ok(golden) = network.trace_codes(input.clone()) else {
        return Ok(None);
    };
    let mut covered = covered(&network, &golden);
    for &set in sets {
        compare(&network, &input, &golden, set, &mut covered).map_err(|at| {
            Box::new(Mismatch {
                isa: set.isa(),
                case: format!("{} of seed {seed}: {network:?}", kind.name()),
                at,
            })
        })?;
    }
    covered.sort_unstable();
    covered.dedup();
    Ok(Some(covered))
}

/// Where a set differs, if it does.
fn compare(
    network: &QuantNetwork,
    input: &Tensor<i8>,
    golden: &Trace,
    set: Kernels,
    covered: &mut Vec<&'static str>,
) -> Result<(), String> {
    let executor = Executor::new(network, set).map_err(|error| error.to_string())?;
    covered.extend(executor.algorithms());
    let trace = (executor.trace_codes(input.clone())).map_err(|error| error.to_string())?;
    for (expected, got) in golden.layers.iter().zip(&trace.layers) {
        let layer = &expected.name;
        if let (Some(expected), Some(got)) = (&expected.accumulators, &got.accumulators) {
            same(expected.data(), got.data(), "accumulator", layer)?;
        }
        same(expected.codes.data(), got.codes.data(), "code", layer)?;
    }
    let fused = (executor.forward_codes(input)).map_err(|error| error.to_string())?;
    match golden.layers.last() {
        Some(last) => same(last.codes.data(), fused.data(), "code", "the layers fused"),
        None => Ok(()),
    }
}

fn same<T: PartialEq + fmt::Debug>(
    expected: &[T],
    got: &[T],
    what: &str,
    layer: &str,
) -> Result<(), String> {
    if expected.len() != got.len() {
        let [expected, got] = [expected.len(), got.len()];
        return Err(format!("{layer}: {expected} {what}s expected, got {got}"));
    }
    match expected.iter().zip(got).position(|(a, b)| a != b) {
        None => Ok(()),
        Some(at) => Err(format!(
            "{layer}: {what} {at} is {:?}, golden {:?}",
            got[at], expected[at]
        )),
    }
}

/// The values on which kernels differ, as far as the case has them.
fn covered(network: &QuantNetwork, golden: &Trace) -> Vec<&'static str> {
    let mut covered = Vec::new();
    let weights = network.network().weighted().map(|(_, weights)| weights);
    let accumulators = golden
        .layers
        .iter()
        .filter_map(|layer| layer.accumulators.as_ref());
    for (weights, acc) in weights.zip(accumulators) {
        let scale = f64::from(weights.output_scale.get());
        let quotients = || acc.data().iter().map(|&acc| f64::from(acc) / scale);
        if quotients().any(|q| (q - q.floor() - 0.5).abs() == 0.0 && q.abs() < 128.0) {
            covered.push("ties");
        }
        if quotients().any(|q| q > 127.5) && quotients().any(|q| q < -128.5) {
            covered.push("both clamps");
        }
        if weights.weight.data().iter().all(|&w| w == i8::MIN) {
            covered.push("weights all -128");
        }
    }
    if golden.input.data().iter().all(|&code| code == i8::MIN) {
        covered.push("inputs all -128");
    }
    if network.rounding() != Rounding::TiesToEven {
        covered.push("other roundings");
    }
    covered
}
