//! What a session does, step by step, and the maps between the steps.

use std::ops::RangeInclusive;

use quant::formulas::output::oiq;
use quant::{QuantError, QuantNetwork, QuantWeights, Rounding, Scale};
use reference::geometry::rank;
use reference::ops::AveragePoolGeometry;
use reference::{Layer, Op, PoolGeometry};

use super::Order;
use crate::conv2d::Conv2dWeights;
use crate::fusion::{Fused, border, feature, maps_of};
use crate::layout::MapShape;
use crate::linear::LinearWeights;
use crate::requantizer::{Channel, Requantizer, Scaling, Stored};
use crate::{Conv2d, Kernels, Linear};

/// Images that go through the linear layers together: whole tiles of 6, 4 and 2 rows, few
/// enough that what they read is still in the cache.
const BLOCK: usize = 24;

/// The same for a network without anything before them: weights are read once a block, from
/// memory if they are many.
const BLOCK_OF_LINEAR: usize = 240;

/// The stored code of 0: codes are s8 and symmetric.
pub(super) const ZERO: u8 = Stored::Signed.shift() as u8;

/// Whether layers that follow each other become one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fuse {
    Yes,
    No,
}

/// A packed network.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) kernels: Kernels,
    pub(super) rounding: Rounding,
    /// The input, then the maps that each step with an output of its own makes.
    pub(super) maps: Vec<Maps>,
    pub(super) steps: Vec<Step>,
    /// Images that go through the linear steps together.
    pub(super) block: usize,
}

/// Where codes lie between steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Maps {
    pub(super) shape: MapShape,
    /// Images that they hold: a block where a step takes one, else one.
    pub(super) slots: usize,
}

/// One step.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// The last of the network's layers that it computes.
    pub(super) layer: usize,
    /// Which maps it reads, and which it writes (the same if it works in place).
    pub(super) maps: [usize; 2],
    pub(super) kind: Kind,
}

/// What a step computes.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Conv2d(Box<Conv2d>, Requantize, Pooled),
    Linear(Box<Linear>, Requantize),
    Relu,
    MaxPool(PoolGeometry),
    AveragePool(AveragePoolGeometry),
    /// Codes stay where they are.
    Flatten,
}

impl Kind {
    /// See [`Executor::algorithms`](super::Executor::algorithms).
    pub(super) fn names(&self) -> Vec<&'static str> {
        match self {
            Self::Conv2d(conv, requantize, true) => {
                vec![conv.algorithm(), requantize.name(), "fused max-pool"]
            }
            Self::Conv2d(conv, requantize, false) => vec![conv.algorithm(), requantize.name()],
            Self::Linear(_, requantize) => vec!["linear", requantize.name()],
            Self::Relu => vec!["ReLU"],
            Self::MaxPool(_) => vec!["max-pool"],
            Self::AveragePool(_) => vec!["average pool"],
            Self::Flatten => Vec::new(),
        }
    }
}

/// Whether a convolution's step ends with a max-pool of 2 × 2.
pub(super) type Pooled = bool;

/// How a weighted layer's accumulators become codes.
#[derive(Clone, Debug)]
pub(super) enum Requantize {
    /// In the kernel.
    Certified(Requantizer),
    /// By the formula itself, where no multiplier has its steps.
    Formula { scale: Scale, least: i32 },
}

impl Requantize {
    fn name(&self) -> &'static str {
        match self {
            Self::Certified(requantizer) => match requantizer.scaling() {
                Scaling::Multiply => "by a multiplier",
                Scaling::Divide => "by a division",
            },
            Self::Formula { .. } => "by the formula",
        }
    }

    fn new(weights: &QuantWeights, rounding: Rounding, bound: i64, relu: bool) -> Self {
        let scale = weights.output_scale;
        let least = if relu { 0 } else { i32::from(i8::MIN) };
        let clamp: RangeInclusive<i32> = least..=i32::from(i8::MAX);
        let bound = i32::try_from(bound).expect("an int32, as `QuantNetwork` proved");
        let channel = Channel {
            reach: -bound..=bound,
            slope: 1.0 / scale.wide(),
            code: &|acc| i32::from(oiq(acc, scale, rounding)),
        };
        let outputs = weights.weight.shape()[0];
        match Requantizer::certify_alike(&channel, outputs, 0, Stored::Signed, clamp) {
            Some(requantizer) => Self::Certified(requantizer),
            None => Self::Formula { scale, least },
        }
    }
}

impl Plan {
    pub(super) fn new(
        network: &QuantNetwork,
        kernels: Kernels,
        fuse: Fuse,
    ) -> Result<Self, QuantError> {
        let layers = network.network().layers();
        let shapes = network.network().shapes();
        let mut bounds = network.accumulators().iter().map(|range| range.bound);
        let mut plan = Self {
            kernels,
            rounding: network.rounding(),
            maps: vec![Maps::new(network.network().input().shape, layers)],
            steps: Vec::with_capacity(layers.len()),
            block: BLOCK,
        };
        let after_it = |layer: usize| match fuse {
            Fuse::Yes => &layers[layer + 1..],
            Fuse::No => &[],
        };
        let mut next = 0;
        while let Some(layer) = layers.get(next) {
            let read = plan.maps.len() - 1;
            let input = plan.maps[read].shape;
            let mut bound = || bounds.next().expect("a bound of every weighted layer");
            let mut fused = 0;
            let in_layer = |error: QuantError| error.in_layer(&layer.name);
            let kind = match &layer.op {
                Op::Conv2d { geometry, weights } => {
                    let conv = Conv2d::new(
                        kernels,
                        &Conv2dWeights {
                            shape: rank("convolution weight (OIHW)", weights.weight.shape())?,
                            codes: weights.weight.data(),
                            bias: weights.bias.as_deref(),
                            input_zero: ZERO,
                        },
                        *geometry,
                        input,
                    )
                    .map_err(in_layer)?;
                    let after = Fused::new(after_it(next), conv.pools());
                    fused = after.layers;
                    let requantize =
                        match Requantize::new(weights, network.rounding(), bound(), after.relu) {
                            Requantize::Certified(it) => Requantize::Certified(conv.arranged(it)),
                            formula => formula,
                        };
                    Kind::Conv2d(Box::new(conv), requantize, after.pool)
                }
                Op::Linear { weights } => {
                    let after = Fused::new(after_it(next), false);
                    fused = after.layers;
                    let requantize =
                        Requantize::new(weights, network.rounding(), bound(), after.relu);
                    let linear = linear(kernels, weights, input).map_err(in_layer)?;
                    Kind::Linear(Box::new(linear), requantize)
                }
                Op::Relu => Kind::Relu,
                Op::MaxPool2d(geometry) => Kind::MaxPool(*geometry),
                Op::AveragePool2d(geometry) => Kind::AveragePool(*geometry),
                Op::Flatten => Kind::Flatten,
                Op::LogSoftmax => {
                    let error = QuantError::Unsupported("log-softmax has no integer form");
                    return Err(in_layer(error));
                }
            };
            let last = next + fused;
            let write = match kind {
                Kind::Relu | Kind::Flatten => read,
                _ => {
                    let shape = maps_of(&shapes[last]).map_err(in_layer)?;
                    plan.maps.push(Maps::new(shape, &layers[last + 1..]));
                    read + 1
                }
            };
            plan.steps.push(Step {
                layer: last,
                maps: [read, write],
                kind,
            });
            next = last + 1;
        }
        if plan.steps[..plan.image_steps()]
            .iter()
            .all(|step| step.maps == [0, 0])
        {
            plan.block = BLOCK_OF_LINEAR;
        }
        // What the linear steps read, and what comes out, is there for a whole block.
        for step in plan.image_steps()..plan.steps.len() {
            for maps in plan.steps[step].maps {
                plan.maps[maps].slots = plan.block;
            }
        }
        if let Some(last) = plan.maps.last_mut() {
            last.slots = plan.block;
        }
        Ok(plan)
    }

    /// How many of the steps work on one image; those from there on work on a block.
    pub(super) fn image_steps(&self) -> usize {
        let first_linear =
            (self.steps.iter()).position(|step| matches!(step.kind, Kind::Linear(..)));
        first_linear.unwrap_or(self.steps.len())
    }

    /// Whether the codes of a block lie in these maps as outside, image behind image, and no
    /// step works on one image of them.
    pub(super) fn is_run(&self, maps: usize, order: Order) -> bool {
        let Maps { shape, slots } = self.maps[maps];
        let alike = order == Order::Nhwc || shape.height * shape.width == 1;
        let by_image = self.steps[..self.image_steps()]
            .iter()
            .any(|step| step.maps[0] == maps);
        alike && shape.border == [0, 0] && slots == self.block && !by_image
    }

    /// Codes of an image at the input and at the output.
    pub(super) fn lengths(&self) -> [usize; 2] {
        let [first, last] = [0, self.maps.len() - 1];
        [first, last].map(|maps| self.maps[maps].shape.codes())
    }

    /// How many images these codes and outputs are of.
    pub(super) fn images(&self, codes: &[i8], out: &[i8]) -> usize {
        let [input, output] = self.lengths();
        let images = codes.len() / input;
        assert_eq!(codes.len(), images * input, "codes of whole images");
        assert_eq!(out.len(), images * output, "outputs of as many images");
        images
    }
}

impl Maps {
    /// Of [C, H, W], with the border that the first of `readers` wants.
    fn new([channels, height, width]: [usize; 3], readers: &[Layer<QuantWeights>]) -> Self {
        Self {
            shape: MapShape {
                height,
                width,
                channels,
                border: border(readers),
            },
            slots: 1,
        }
    }
}

/// A linear layer whose features lie pixel by pixel: `[y][x][c]` where the network's flatten
/// says `[c][y][x]`.
fn linear(kernels: Kernels, weights: &QuantWeights, input: MapShape) -> Result<Linear, QuantError> {
    let [outputs, inputs] = rank("linear weight", weights.weight.shape())?;
    let features: Vec<usize> = (0..inputs).map(|i| feature(input, i)).collect();
    let codes = weights.weight.data();
    let code = |o: usize, i: usize| codes[o * inputs + features[i]];
    Linear::new(
        kernels,
        &LinearWeights {
            shape: [outputs, inputs],
            code: &code,
            bias: weights.bias.as_deref(),
            input_zero: ZERO,
        },
    )
}
