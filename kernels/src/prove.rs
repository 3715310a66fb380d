//! Are the kernels the golden interpreter, to the bit? Random cases of every kernel of integer
//! networks on every instruction set of this CPU.
//!
//! A case is a small network made from a seed: sizes around the edges of tiles and vectors,
//! codes and weights at the ends of their range, scales that put accumulators on ties. The
//! golden interpreter traces it; every kernel set must trace the same accumulators and codes
//! layer by layer, and give the same codes with its layers fused. A network of another scheme
//! ([`Kind::Affine`]) has its own interpreter, and its outputs are compared.

pub mod affine;
mod int8;

use std::fmt;

use quant::prove::Random;
use reference::{InputSpec, Layer, Network, Op, ShapeError, Tensor, WeightShape};

use crate::{Isa, Kernels};

/// Sizes beside 4, 8, 16, 32 and 64 lanes, and small ones.
const SIZES: [usize; 24] = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 24, 25, 31, 32, 33, 47, 48, 49, 63, 64, 65,
];

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
    /// Networks of any scheme: bytes, words and words in parts.
    Affine,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Conv2d,
        Self::FewChannels,
        Self::Depthwise,
        Self::Fused,
        Self::Linear,
        Self::Pools,
        Self::Network,
        Self::Affine,
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
            Self::Affine => "any scheme",
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
/// fit, so that there is no such network.
///
/// # Errors
/// The first set that differs, and where.
pub fn case(
    kind: Kind,
    seed: u64,
    sets: &[Kernels],
) -> Result<Option<Vec<&'static str>>, Box<Mismatch>> {
    let mut random = Random::new(seed);
    let had = match kind {
        Kind::Affine => affine::case(&mut random, sets),
        _ => int8::case(kind, &mut random, sets),
    };
    let Some(mut had) = had.map_err(|mut mismatch| {
        mismatch.case = format!("{} of seed {seed}: {}", kind.name(), mismatch.case);
        mismatch
    })?
    else {
        return Ok(None);
    };
    had.sort_unstable();
    had.dedup();
    Ok(Some(had))
}

/// The network of these layers, one behind the other.
///
/// # Errors
/// Shapes that do not fit.
pub fn chain<W: WeightShape>(shape: [usize; 3], ops: Vec<Op<W>>) -> Result<Network<W>, ShapeError> {
    let layers = (ops.into_iter().enumerate())
        .map(|(i, op)| Layer {
            name: format!("layer{i}"),
            op,
        })
        .collect();
    let spec = InputSpec {
        shape,
        mean: 0.0,
        std: 1.0,
    };
    Network::new("random", spec, layers)
}

fn size(random: &mut Random, most: usize) -> usize {
    let fitting = SIZES.partition_point(|&size| size <= most);
    SIZES[random.below(fitting)]
}

/// Where two tensors differ, if they do; `what` one value is.
fn same<T: Copy + PartialEq + fmt::Debug>(
    expected: &Tensor<T>,
    got: &Tensor<T>,
    what: &str,
) -> Result<(), String> {
    let [shape, other] = [expected, got].map(Tensor::shape);
    if shape != other {
        return Err(format!(
            "{what}s of shape {shape:?} expected, got {other:?}"
        ));
    }
    let differs = |(a, b): (&T, &T)| a != b;
    match expected.data().iter().zip(got.data()).position(differs) {
        None => Ok(()),
        Some(at) => Err(format!(
            "{what} at {:?} is {:?}, golden {:?}",
            got.position(at),
            got.data()[at],
            expected.data()[at]
        )),
    }
}
